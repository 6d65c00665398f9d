//! The bank: a payout becomes a credit transfer order, an ISO 20022 pain.001.001.09 file in the documents bucket.
//!
//! A bank's own interface takes its place once there is one; until then an operator hands the files in, or a bank
//! fetches them, and answers through `/confirm` and `/fail`. The end-to-end id is the payout's tail (34 characters of
//! 35), so the same payout ordered twice is one payment to the bank. The bank knows the marketplace's own account by
//! the marketplace's id; a debtor's agent is demanded by the schema and, as SEPA's rules allow, not provided.

use bucket::{Bucket, File};
use domain::id::MarketplaceId;
use domain::payout::Payout;
use domain::text::Word;
use edge::{Again, World};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use std::io;

/// Writes the order; the same payout always makes the same file under the same name.
pub(crate) async fn order(world: &World, m: &MarketplaceId, payout: &Payout) -> Result<Word, Again> {
    let bytes = pain_001(m, payout).map_err(|error| Again::call("write a pain.001 file", error))?;
    let key = format!("{m}/payouts/{}/{}.xml", payout.through, payout.id);
    let file = File { content_type: "application/xml", bytes, ..File::default() };
    Bucket::of(world, "DOCUMENTS")?.keep(&key, file).await?;
    payout.id.tail().parse().map_err(|error| Again::call("name a pain.001 file", error))
}

/// One message, one payment information, one transaction: a return concerns one merchant.
fn pain_001(m: &MarketplaceId, payout: &Payout) -> io::Result<Vec<u8>> {
    let mut file = Writer::new_with_indent(Vec::new(), b' ', 2);
    file.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let id = payout.id.tail();
    let amount = payout.amount.decimal().to_string();
    let today = domain::payout::day(payout.created_at).to_string();
    let document = file
        .create_element("Document")
        .with_attribute(("xmlns", "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"));
    document.write_inner_content(|file| {
        file.create_element("CstmrCdtTrfInitn").write_inner_content(|file| {
            file.create_element("GrpHdr").write_inner_content(|file| {
                text(file, "MsgId", id)?;
                text(file, "CreDtTm", &payout.created_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())?;
                text(file, "NbOfTxs", "1")?;
                text(file, "CtrlSum", &amount)?;
                within(file, "InitgPty", |file| text(file, "Nm", m.as_str()))
            })?;
            file.create_element("PmtInf").write_inner_content(|file| {
                text(file, "PmtInfId", id)?;
                text(file, "PmtMtd", "TRF")?;
                within(file, "ReqdExctnDt", |file| text(file, "Dt", &today))?;
                within(file, "Dbtr", |file| text(file, "Nm", m.as_str()))?;
                within(file, "DbtrAcct", |file| other_id(file, m.as_str()))?;
                within(file, "DbtrAgt", |file| {
                    within(file, "FinInstnId", |file| {
                        within(file, "Othr", |file| text(file, "Id", "NOTPROVIDED"))
                    })
                })?;
                file.create_element("CdtTrfTxInf")
                    .write_inner_content(|file| transaction(file, payout, &amount))?;
                Ok(())
            })?;
            Ok(())
        })?;
        Ok(())
    })?;
    Ok(file.into_inner())
}

fn transaction(file: &mut Writer<Vec<u8>>, payout: &Payout, amount: &str) -> io::Result<()> {
    within(file, "PmtId", |file| text(file, "EndToEndId", payout.id.tail()))?;
    within(file, "Amt", |file| {
        let element = file.create_element("InstdAmt").with_attribute(("Ccy", payout.amount.currency.code()));
        element.write_text_content(BytesText::new(amount))?;
        Ok(())
    })?;
    // The schema's bound of a name.
    let holder: String = payout.holder.as_str().chars().take(140).collect();
    within(file, "Cdtr", |file| text(file, "Nm", &holder))?;
    within(file, "CdtrAcct", |file| within(file, "Id", |file| text(file, "IBAN", payout.iban.as_str())))?;
    within(file, "RmtInf", |file| text(file, "Ustrd", &format!("Payout through {}", payout.through)))
}

fn other_id(file: &mut Writer<Vec<u8>>, id: &str) -> io::Result<()> {
    within(file, "Id", |file| within(file, "Othr", |file| text(file, "Id", id)))
}

fn text(file: &mut Writer<Vec<u8>>, name: &str, content: &str) -> io::Result<()> {
    file.create_element(name).write_text_content(BytesText::new(content))?;
    Ok(())
}

fn within(
    file: &mut Writer<Vec<u8>>,
    name: &str,
    inner: impl FnOnce(&mut Writer<Vec<u8>>) -> io::Result<()>,
) -> io::Result<()> {
    file.create_element(name).write_inner_content(inner)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Money;
    use domain::id::MerchantId;
    use domain::merchant::Iban;
    use domain::payout::{Stage, Totals};

    /// The structure is that of ISO 20022 pain.001.001.09; the names and order of elements are the schema's.
    #[test]
    fn a_payout_is_one_credit_transfer() {
        let (merchant, through) = (MerchantId::from_bits(7), jiff::civil::date(2017, 2, 28));
        let amount = Money::new(123_456, "EUR".parse().unwrap());
        let payout = Payout {
            id: domain::id::PayoutId::of(&merchant, through),
            merchant,
            after: jiff::civil::date(2017, 1, 31),
            through,
            amount,
            totals: Totals::zero(amount.currency),
            created_at: "2017-03-01T01:00:00Z".parse().unwrap(),
            holder: "Tea & Co".parse().unwrap(),
            iban: Iban::of("DE", "370400440532013000").unwrap(),
            stage: Stage::Created,
        };
        let file = pain_001(&MarketplaceId::from_bits(1), &payout).unwrap();
        insta::assert_snapshot!(String::from_utf8(file).unwrap());
    }
}
