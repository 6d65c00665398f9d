//! The rules of the marketplace: what holds for every sale, whatever its rates.

use axum::extract::State;
use domain::tax::table::{DEEMED_MAX, Rules};
use domain::tax::{Deemed, DeliveryTax, Mode, Prices, Rounding, Sellers};
use domain::text::Category;
use edge::change::set;
use edge::query::None as NoParameters;
use edge::{AreaBody, Check, Command, Problem, Query, Reply, World};
use events::Announced;
use events::tax::TaxRulesChangedV1;
use serde::{Deserialize, Serialize};
use table::{Key, Story};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TaxRules"))]
pub(crate) struct RulesBody {
    /// Whether the tax is in the shown price or comes on top.
    prices: PricesWord,
    /// Once on the line, or on each unit.
    rounding: RoundingWord,
    /// The category that delivery is taxed as; whatever is delivered, if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Category>"))]
    delivery_category: Option<String>,
    /// Destinations for which the marketplace owes the tax instead of the merchant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(length(max = DEEMED_MAX)))]
    deemed_supplier: Vec<DeemedBody>,
    /// Businesses of other member states of the European Union buy net.
    reverse_charge: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TaxPrices"))]
pub(crate) enum PricesWord {
    Included,
    Added,
}

impl PricesWord {
    pub(crate) fn of(prices: Prices) -> Self {
        match prices {
            Prices::Included => Self::Included,
            Prices::Added => Self::Added,
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TaxRounding"))]
pub(crate) enum RoundingWord {
    Line,
    Unit,
}

impl RoundingWord {
    pub(crate) fn of(rounding: Rounding) -> Self {
        match rounding {
            Rounding::Line => Self::Line,
            Rounding::Unit => Self::Unit,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DeemedSupplier"))]
struct DeemedBody {
    area: AreaBody,
    sellers: SellersWord,
}

/// Sales of all merchants, or only of those outside the destination's tax territory.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum SellersWord {
    All,
    Abroad,
}

impl RulesBody {
    fn of(rules: &Rules) -> Self {
        let Rules { mode, delivery, deemed, reverse_charge } = rules;
        let deemed = deemed.iter().map(|deemed| DeemedBody {
            area: AreaBody::of(&deemed.area),
            sellers: match deemed.sellers {
                Sellers::All => SellersWord::All,
                Sellers::Abroad => SellersWord::Abroad,
            },
        });
        Self {
            prices: PricesWord::of(mode.prices),
            rounding: RoundingWord::of(mode.rounding),
            delivery_category: match delivery {
                DeliveryTax::Category(category) => Some(category.to_string()),
                DeliveryTax::Goods => None,
            },
            deemed_supplier: deemed.collect(),
            reverse_charge: *reverse_charge,
        }
    }

    fn read(&self) -> Result<Rules, Problem> {
        let mut check = Check::new();
        let category = check.maybe::<Category>("delivery_category", self.delivery_category.as_deref());
        let given = &self.deemed_supplier;
        if given.len() > DEEMED_MAX {
            check.wrong("deemed_supplier", "range", format!("{} are more than {DEEMED_MAX}", given.len()));
        }
        let mut deemed = Vec::with_capacity(given.len().min(DEEMED_MAX));
        for (position, body) in given.iter().take(DEEMED_MAX).enumerate() {
            let area = body.area.read(&mut check, &format!("deemed_supplier[{position}].area"));
            let sellers = match body.sellers {
                SellersWord::All => Sellers::All,
                SellersWord::Abroad => Sellers::Abroad,
            };
            deemed.extend(area.map(|area| Deemed { area, sellers }));
        }
        check.done()?;
        let prices = match self.prices {
            PricesWord::Included => Prices::Included,
            PricesWord::Added => Prices::Added,
        };
        let rounding = match self.rounding {
            RoundingWord::Line => Rounding::Line,
            RoundingWord::Unit => Rounding::Unit,
        };
        let delivery = category.map_or(DeliveryTax::Goods, DeliveryTax::Category);
        let mode = Mode { prices, rounding };
        Ok(Rules { mode, delivery, deemed, reverse_charge: self.reverse_charge })
    }
}

/// Where nobody has set rules, those that hold until somebody does.
pub(crate) async fn show(
    State(world): State<World>,
    query: Query<NoParameters>,
) -> Result<Reply<RulesBody>, Problem> {
    let held = world.table.load::<Rules>(&Key::tax_rules(&query.caller.marketplace)).await?;
    Ok(match held {
        Some(held) => Reply::ok(RulesBody::of(&held.value)).revision(held.revision()),
        None => Reply::ok(RulesBody::of(&Rules::first())),
    })
}

/// All rules at once; orders keep what they were placed with.
pub(crate) async fn set_rules(
    State(world): State<World>,
    command: Command<RulesBody>,
) -> Result<Reply<RulesBody>, Problem> {
    let rules = command.body.read()?;
    let story = || Story::new([Announced::of(&TaxRulesChangedV1 {})]);
    set(&world, &command, (&rules, "tax-rules"), story, RulesBody::of).await
}
