//! A customer's store credit: what refunds have given, to spend at a checkout.

use axum::extract::State;
use domain::MoneyError;
use domain::credit::StoreCredit;
use edge::query::None as NoParameters;
use edge::{Problem, Query, Reply, World};
use events::Amount;
use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "StoreCredit"))]
pub(crate) struct CreditView {
    /// One for each currency; none where the customer never had any.
    balances: Vec<BalanceView>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "StoreCreditBalance"))]
struct BalanceView {
    balance: Amount,
    /// Of that, what is promised to orders and not taken yet.
    held: Amount,
    /// What may be spent.
    available: Amount,
}

fn view(credit: &StoreCredit) -> Result<BalanceView, MoneyError> {
    let (balance, held, available) = (credit.balance, credit.held, credit.available()?);
    Ok(BalanceView { balance: balance.into(), held: held.into(), available: available.into() })
}

pub(crate) async fn show(
    State(world): State<World>,
    query: Query<NoParameters>,
) -> Result<Reply<CreditView>, Problem> {
    let customer = query.caller.customer()?;
    let credits = world.table.store_credits(&query.caller.marketplace, &customer).await?;
    let balances = credits.iter().map(view).collect::<Result<_, _>>()?;
    Ok(Reply::ok(CreditView { balances }))
}
