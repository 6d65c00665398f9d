//! Sales channels: where products are shown, and in which languages. An operator's, read by everybody.

use axum::extract::{Path, State};
use domain::Currency;
use domain::pim::family::PimChannel;
use domain::text::{Channel, Locale};
use edge::change::set;
use edge::query::None as NoParameters;
use edge::{Check, Command, Listing, PageOf, Problem, Query, Reply, World};
use events::Announced;
use events::catalog::SalesChannelChangedV1;
use serde::{Deserialize, Serialize};
use table::{Key, Story};

/// Whoever describes a product needs all of them.
const CHANNELS_MAX: usize = 50;

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SalesChannelView {
    code: String,
    locales: Vec<String>,
    currency: Currency,
}

fn view(channel: &PimChannel) -> SalesChannelView {
    let PimChannel { code, locales, currency } = channel;
    let locales = locales.iter().map(ToString::to_string).collect();
    SalesChannelView { code: code.to_string(), locales, currency: *currency }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SetSalesChannel {
    /// At least one, like `de` or `pt-BR`.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Locale>"))]
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = domain::pim::family::LOCALES_MAX)))]
    locales: Vec<String>,
    #[cfg_attr(feature = "schema", schemars(with = "Currency"))]
    currency: String,
}

pub(crate) async fn set_one(
    State(world): State<World>,
    Path(code): Path<String>,
    command: Command<SetSalesChannel>,
) -> Result<Reply<SalesChannelView>, Problem> {
    let m = &command.caller.marketplace;
    let mut check = Check::new();
    let code = check.parse::<Channel>("code", &code);
    let locales = check.all::<Locale>("locales", &command.body.locales);
    let currency = check.parse::<Currency>("currency", &command.body.currency);
    check.done()?;
    let (Some(code), Some(currency)) = (code, currency) else { return Err(Problem::internal()) };
    let channel = PimChannel { code, locales, currency };
    channel.declare()?;
    let there = world.table.all_sales_channels(m).await?;
    if there.len() >= CHANNELS_MAX && !there.contains_key(&channel.code) {
        let title = "There are too many sales channels";
        return Err(Problem::new(409, "sales_channel_count", title).with(format!("at most {CHANNELS_MAX}")));
    }
    let told = || Story::new([Announced::of(&SalesChannelChangedV1 { channel: channel.code.to_string() })]);
    let subject = format!("sales_channel-{}", channel.code);
    set(&world, &command, (&channel, &subject), told, view).await
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(code): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<SalesChannelView>, Problem> {
    let code: Channel = code.parse().map_err(|_| Problem::not_found("sales channel"))?;
    let held = world.table.load::<PimChannel>(&Key::sales_channel(&query.caller.marketplace, &code)).await?;
    let held = held.ok_or_else(|| Problem::not_found("sales channel"))?;
    Ok(Reply::ok(view(&held.value)).revision(held.revision()))
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<SalesChannelView>>, Problem> {
    let paging = query.parameters.read()?;
    let page =
        world.table.sales_channels(&query.caller.marketplace, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, |channel| view(&channel))))
}
