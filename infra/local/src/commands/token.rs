//! `cargo souk token`: a token of the development issuer, for an hour unless said otherwise.

use super::{Done, Failed, say};
use clap::{Args, ValueEnum};
use domain::id::MerchantId;
use jiff::SignedDuration;
use souk::demo;
use souk::issuer::Issuer;
use std::path::Path;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo souk token
  cargo souk token --role merchant --merchant mer_…
  cargo souk token --role shopper --hours 24")]
pub(crate) struct Token {
    #[arg(long, value_enum, default_value = "operator")]
    role: Role,
    /// Whose member the token's bearer is.
    #[arg(long, value_name = "ID")]
    merchant: Option<String>,
    /// Who the bearer is; by default a name made of role and merchant.
    #[arg(long)]
    subject: Option<String>,
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..=8760))]
    hours: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    Operator,
    Merchant,
    Shopper,
}

impl Token {
    pub(crate) async fn run(self, data: &Path) -> Done {
        let subject = match (self.role, &self.merchant) {
            (Role::Operator, None) => demo::OPERATOR.to_owned(),
            (Role::Shopper, None) => self.subject.clone().unwrap_or_else(|| "shopper".to_owned()),
            (Role::Merchant, Some(merchant)) => {
                let merchant: MerchantId = merchant.parse()?;
                demo::member_subject(&merchant)
            }
            (Role::Merchant, None) => {
                return Err(Failed::new("a merchant's token needs --merchant ID").hint(
                    "the ids are in the list: curl -s $SOUK/v1/merchants -H \"Authorization: Bearer $KEY\"",
                ));
            }
            (Role::Operator | Role::Shopper, Some(_)) => {
                return Err(Failed::new("--merchant goes with --role merchant"));
            }
        };
        std::fs::create_dir_all(data)?;
        let issuer = Issuer::open(&data.join("issuer.der"))?;
        say(issuer.token(&subject, SignedDuration::from_hours(self.hours))?);
        Ok(())
    }
}
