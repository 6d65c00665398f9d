//! What AWS asks for what is used: list prices of one region, and sums at them.
//!
//! Free tiers and discounts by volume are left out. So is what is no use of anybody's: storage, alarms, polls of empty
//! queues (infra/README says what idle costs), KMS for the table's key, and the gateway's and the bank's own fees.
//! Lambda's reads of the table's stream are free; AWS's own events (files, mail) and rules are, too.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where these prices hold, and when they were read.
pub const REGION: &str = "us-east-1";
pub const AS_OF: &str = "2026-11-27";

/// What is paid for, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    WriteUnits,
    ReadUnits,
    Invocations,
    GigabyteSeconds,
    ApiRequests,
    GigabytesOut,
    QueueRequests,
    Events,
    ScheduledRuns,
    FilesPut,
    FilesFetched,
    Mails,
    GigabytesLogged,
    Traces,
}

/// What one of it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Price {
    pub of: Of,
    pub service: &'static str,
    pub unit: &'static str,
    /// Millionths of a dollar for a million units: $0.625 for a million is `625_000`.
    pub micros: u64,
    pub source: &'static str,
}

const fn price(
    of: Of,
    service: &'static str,
    unit: &'static str,
    micros: u64,
    source: &'static str,
) -> Price {
    Price { of, service, unit, micros, source }
}

/// The one table of prices: [`REGION`], as of [`AS_OF`], first tier after the free one.
pub const PRICES: [Price; 14] = [
    price(Of::WriteUnits, "DynamoDB", "write request units", 625_000, TABLE),
    price(Of::ReadUnits, "DynamoDB", "read request units", 125_000, TABLE),
    price(Of::Invocations, "Lambda", "requests", 200_000, "aws.amazon.com/lambda/pricing"),
    // $0.0000133334, Arm.
    price(Of::GigabyteSeconds, "Lambda", "GB-seconds", 13_333_400, "aws.amazon.com/lambda/pricing"),
    // In pieces of 512 KB.
    price(
        Of::ApiRequests,
        "API Gateway",
        "HTTP API requests",
        1_000_000,
        "aws.amazon.com/api-gateway/pricing",
    ),
    // $0.09.
    price(Of::GigabytesOut, "Data transfer", "GB to the internet", 90_000_000_000, TRANSFER),
    // Standard queues, in pieces of 64 KB.
    price(Of::QueueRequests, "SQS", "requests", 400_000, "aws.amazon.com/sqs/pricing"),
    // In pieces of 64 KB; delivery to queues of the same account is free, what it sends to SQS is not.
    price(Of::Events, "EventBridge", "custom events", 1_000_000, "aws.amazon.com/eventbridge/pricing"),
    price(
        Of::ScheduledRuns,
        "EventBridge",
        "scheduled runs",
        1_000_000,
        "aws.amazon.com/eventbridge/pricing",
    ),
    // $0.005 and $0.0004 a thousand.
    price(Of::FilesPut, "S3", "PUT, COPY, POST, LIST", 5_000_000, "aws.amazon.com/s3/pricing"),
    price(Of::FilesFetched, "S3", "GET and others", 400_000, "aws.amazon.com/s3/pricing"),
    // $0.10 a thousand.
    price(Of::Mails, "SES", "mails", 100_000_000, "aws.amazon.com/ses/pricing"),
    // $0.50.
    price(
        Of::GigabytesLogged,
        "CloudWatch",
        "GB of logs",
        500_000_000_000,
        "aws.amazon.com/cloudwatch/pricing",
    ),
    price(Of::Traces, "X-Ray", "traces recorded", 5_000_000, "aws.amazon.com/xray/pricing"),
];

const TABLE: &str = "aws.amazon.com/dynamodb/pricing/on-demand";
const TRANSFER: &str = "aws.amazon.com/ec2/pricing/on-demand";

/// How much of each was used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage(BTreeMap<Of, Decimal>);

impl Usage {
    #[must_use]
    pub fn with(mut self, of: Of, many: Decimal) -> Self {
        if !many.is_zero() {
            *self.0.entry(of).or_default() += many;
        }
        self
    }

    pub fn get(&self, of: Of) -> Decimal {
        self.0.get(&of).copied().unwrap_or_default()
    }

    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        other.0.iter().fold(self.clone(), |sum, (of, many)| sum.with(*of, *many))
    }

    /// Without what another one used, which is no more than nothing.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let rest = self.0.iter().map(|(of, many)| (*of, *many - other.get(*of)));
        Self(rest.filter(|(_, many)| *many > Decimal::ZERO).collect())
    }

    /// The part of one of so many.
    #[must_use]
    pub fn of_one(&self, many: usize) -> Self {
        let many = Decimal::from(many.max(1));
        Self(self.0.iter().map(|(of, sum)| (*of, *sum / many)).collect())
    }

    /// Dollars for a million times this, by service.
    pub fn by_service(&self) -> BTreeMap<String, Decimal> {
        let mut services: BTreeMap<String, Decimal> = BTreeMap::new();
        for price in &PRICES {
            let dollars = self.get(price.of) * Decimal::from(price.micros) / Decimal::from(1_000_000);
            if !dollars.is_zero() {
                *services.entry(price.service.to_owned()).or_default() += dollars;
            }
        }
        services
    }

    /// Dollars for a million times this.
    pub fn per_million(&self) -> Decimal {
        self.by_service().values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap_or_default()
    }

    #[test]
    fn everything_that_is_paid_for_has_one_price() {
        let mut all: Vec<Of> = PRICES.iter().map(|price| price.of).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), PRICES.len());
        assert!(PRICES.iter().all(|price| price.micros > 0 && price.source.starts_with("aws.amazon.com/")));
    }

    /// By hand: a million of each, as the pages of the services say it.
    #[test]
    fn a_million_of_each_costs_what_its_page_says() {
        for (of, want) in [
            (Of::WriteUnits, "0.625"),
            (Of::ReadUnits, "0.125"),
            (Of::Invocations, "0.20"),
            (Of::GigabyteSeconds, "13.3334"),
            (Of::ApiRequests, "1.00"),
            (Of::QueueRequests, "0.40"),
            (Of::Events, "1.00"),
            (Of::ScheduledRuns, "1.00"),
            (Of::FilesPut, "5.00"),
            (Of::FilesFetched, "0.40"),
            (Of::Mails, "100.00"),
            (Of::Traces, "5.00"),
            (Of::GigabytesOut, "90000"),
            (Of::GigabytesLogged, "500000"),
        ] {
            assert_eq!(Usage::default().with(of, Decimal::ONE).per_million(), decimal(want), "{of:?}");
        }
    }

    /// By hand: 62 × 0.625 + 20.5 × 0.125 = 38.75 + 2.5625; 12 × 0.20 + 0.15 × 13.3334 = 2.40 + 2.00001;
    /// 30 × 0.40 = 12.00. Together 57.71251.
    #[test]
    fn an_order_is_summed_by_service() {
        let order = [
            (Of::WriteUnits, "62"),
            (Of::ReadUnits, "20.5"),
            (Of::Invocations, "12"),
            (Of::GigabyteSeconds, "0.15"),
            (Of::QueueRequests, "30"),
        ];
        let order = order.iter().fold(Usage::default(), |sum, (of, many)| sum.with(*of, decimal(many)));
        let services = order.by_service();
        let said: Vec<(&str, Decimal)> =
            services.iter().map(|(service, dollars)| (service.as_str(), *dollars)).collect();
        let want = [("DynamoDB", "41.3125"), ("Lambda", "4.40001"), ("SQS", "12.00")];
        assert_eq!(said, want.map(|(service, dollars)| (service, decimal(dollars))));
        assert_eq!(order.per_million(), decimal("57.71251"));
    }

    #[test]
    fn what_is_taken_away_leaves_no_less_than_nothing() {
        let more = Usage::default().with(Of::Events, Decimal::TWO).with(Of::Mails, Decimal::ONE);
        let less = Usage::default().with(Of::Events, Decimal::ONE).with(Of::Mails, Decimal::TWO);
        assert_eq!(more.minus(&less), Usage::default().with(Of::Events, Decimal::ONE));
        assert_eq!(more.plus(&less).of_one(3).get(Of::Events), Decimal::ONE);
    }
}
