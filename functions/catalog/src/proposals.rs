//! What merchants want products to say: their own, and those that the marketplace keeps.
//!
//! The marketplace's policy parts what is proposed: some is said at once, the rest waits for a person, who confirms or
//! declines it once (A3(4)). What is said of it is said in the transaction that makes or resolves the proposal.

use crate::products::{self, CreateProduct};
use crate::sheets::load as load_sheet;
use axum::extract::{Path, State};
use domain::Decision;
use domain::catalog::{Product, ProductStatus};
use domain::id::{MarketplaceId, MerchantId, ProductId, ProposalId};
use domain::pim::data::Data;
use domain::pim::family::{Completeness, Model};
use domain::pim::proposal::{About, Fact, Policy, Proposal, Request, Stage, Way, decide, split};
use domain::pim::sheet::{Patch, Sheet};
use domain::text::{Code, Reason};
use edge::change::set;
use edge::query::{None as NoParameters, Paging};
use edge::sheet::ChangeSheet;
use edge::{Check, Command, Listing, Overtaken, PageOfKeeper, Problem, Query, Reply, World};
use events::catalog::{ProposalPolicyChangedV1, product_created, proposal_resolved, proposal_submitted};
use events::{Announced, Context};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use table::proposal::{ProposalPolicy, ProposalSummary};
use table::seen::Seen;
use table::{Commit, Held, Key, Story};

/// Who has confirmed what nobody has to look at.
const BY_POLICY: &str = "policy";

/// One thing that would be said.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ProposedValue {
    /// `values/color/de/web`, `variants/2/values/color`, `family`, `assets`.
    path: String,
    /// Null takes it away.
    data: Data,
}

/// All values of a variant, of an attribute, or of an attribute in a variant, would be taken away.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ProposedRemoval {
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attribute: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ProposalView {
    id: String,
    merchant: String,
    product: String,
    proposed_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// `pending`, `confirmed`, `declined` or `canceled`.
    status: String,
    /// The product that would be new; the marketplace keeps it then.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_product: Option<products::ProductView>,
    /// What waits for a person; of what waits for nobody, all of it.
    changes: Vec<ProposedValue>,
    removals: Vec<ProposedRemoval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_at: Option<String>,
    /// The person, the key, or `policy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_by: Option<String>,
    /// Why it was declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

fn about(proposal: &Proposal) -> (&ProductId, &Patch) {
    match &proposal.about {
        About::Product { product, says } => (&product.id, says),
        About::Change { product, patch, .. } => (product, patch),
    }
}

fn view(proposal: &Proposal) -> ProposalView {
    let (product, patch) = about(proposal);
    let (resolved_at, resolved_by, reason) = match &proposal.stage {
        Stage::Pending => (None, None, None),
        Stage::Confirmed { since, by } => (Some(since), Some(by), None),
        Stage::Declined { since, by, reason } => (Some(since), Some(by), Some(reason)),
        Stage::Canceled { since } => (Some(since), None, None),
    };
    let change = |(path, data): (&domain::pim::sheet::Path, &Data)| ProposedValue {
        path: path.to_string(),
        data: data.clone(),
    };
    let removal = |cleared: &domain::pim::sheet::Cleared| ProposedRemoval {
        variant: cleared.variant,
        attribute: cleared.attribute.as_ref().map(ToString::to_string),
    };
    ProposalView {
        id: proposal.id.to_string(),
        merchant: proposal.merchant.to_string(),
        product: product.to_string(),
        proposed_at: proposal.proposed_at.to_string(),
        note: proposal.note.as_ref().map(ToString::to_string),
        status: proposal.stage.word().to_owned(),
        new_product: match &proposal.about {
            About::Product { product, .. } => Some(products::view(product)),
            About::Change { .. } => None,
        },
        changes: patch.edits.iter().map(change).collect(),
        removals: patch.cleared.iter().map(removal).collect(),
        resolved_at: resolved_at.map(ToString::to_string),
        resolved_by: resolved_by.cloned(),
        reason: reason.map(ToString::to_string),
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Propose {
    /// Who proposes; whoever acts for one merchant alone may leave it out.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::id::MerchantId>"))]
    merchant: Option<String>,
    /// As a change of the sheet; its reason is what a person reads who looks at it.
    says: ChangeSheet,
}

/// A proposal as it would be made now, and what is said of it at once.
struct Made {
    seen: Seen,
    proposal: Proposal,
    at_once: Option<(Sheet, Model)>,
}

async fn policy_of(world: &World, m: &MarketplaceId) -> Result<Option<Held<ProposalPolicy>>, Problem> {
    Ok(world.table.load::<ProposalPolicy>(&Key::proposal_policy(m)).await?)
}

/// What a merchant may have a say in: its own, and what the marketplace keeps.
fn open_to(product: &Product, merchant: &MerchantId) -> bool {
    product.merchant.as_ref().is_none_or(|keeper| keeper == merchant)
}

impl Made {
    /// All of the patch must be right, whoever has to look at it.
    async fn of(
        world: &World,
        m: &MarketplaceId,
        (id, product, merchant): (&ProposalId, &ProductId, &MerchantId),
        (patch, note): (&Patch, Option<&Reason>),
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let seen = load_sheet(world, m, product, |product| open_to(product, merchant)).await?;
        seen.product.unmerged()?;
        let model = world.table.words(m, &seen.sheet, patch).await?;
        let whole = seen.patched(patch, &model)?;
        let policy = policy_of(world, m).await?.map_or_else(Policy::first, |held| held.value.0);
        let label = model.family_of(&whole.content).and_then(|family| family.label.clone());
        let (at_once, later) = split(&policy, label.as_ref(), patch.clone());
        let confirmed = Stage::Confirmed { since: now, by: BY_POLICY.to_owned() };
        let (stage, kept) =
            if later.is_empty() { (confirmed, at_once.clone()) } else { (Stage::Pending, later) };
        let about = About::Change { product: product.clone(), version: seen.sheet.version, patch: kept };
        let (id, merchant, note) = (id.clone(), merchant.clone(), note.cloned());
        let proposal = Proposal { id, merchant, about, proposed_at: now, note, stage };
        let at_once = match at_once.is_empty() {
            true => None,
            false => Some((seen.patched(&at_once, &model)?, model)),
        };
        Ok(Self { seen, proposal, at_once })
    }
}

/// What is told of a new proposal, and at once of its end where nobody has to look.
fn story(proposal: &Proposal) -> Story {
    let submitted = proposal_submitted(proposal);
    match &proposal.stage {
        Stage::Confirmed { since, by } => {
            let fact = Fact::Confirmed { at: *since, by: by.clone() };
            Story::new([submitted, proposal_resolved(proposal, &fact)])
        }
        Stage::Pending | Stage::Declined { .. } | Stage::Canceled { .. } => Story::new([submitted]),
    }
}

pub(crate) async fn propose(
    State(world): State<World>,
    Path(product): Path<String>,
    command: Command<Propose>,
) -> Result<Reply<ProposalView>, Problem> {
    let m = &command.caller.marketplace;
    let product: ProductId = product.parse().map_err(|_| Problem::not_found("product"))?;
    let Propose { merchant, says } = &command.body;
    let mut check = Check::new();
    let merchant = command.reach.whose(&mut check, merchant.as_deref())?;
    let note = check.maybe::<Reason>("says.reason", says.reason.as_deref());
    let patch = says.patch()?;
    if patch.is_empty() {
        check.wrong("says", "required", "say what the product is to say");
    }
    check.done()?;
    let Some(merchant) = merchant else { return Err(Problem::internal()) };
    let fresh = ProposalId::from_bits(world.fresh());
    let (id, product, merchant, patch) = (&fresh, &product, &merchant, &patch);
    let (world, command, note) = (&world, &command, note.as_ref());
    world
        .until_free(|| async {
            let now = world.now();
            let made = Made::of(world, m, (id, product, merchant), (patch, note), now).await;
            if let Some(asked) = command.before(world, made.is_ok()).await? {
                return asked_before(world, m, &asked.resource).await;
            }
            let made = made?;
            let context = command.context(now);
            let (story, subject) = (story(&made.proposal), made.proposal.id.to_string());
            let commit = command.remember(Commit::new(m, &context), now, 201, &subject, Overtaken);
            let commit = commit.begin(&made.proposal, &subject, story, Overtaken);
            let commit = match made.at_once {
                Some((sheet, model)) => {
                    made.seen.rewrite(commit, &context, (sheet, &model), (note, Overtaken))
                }
                None => commit,
            };
            commit.send(&world.table).await?;
            Ok(Reply::created(view(&made.proposal)).revision(1))
        })
        .await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ProposeProduct {
    /// Who proposes; whoever acts for one merchant alone may leave it out.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::id::MerchantId>"))]
    merchant: Option<String>,
    /// Of no merchant: the marketplace keeps what it has agreed to.
    new_product: CreateProduct,
    /// What it is to say; its reason is what a person reads who looks at it.
    #[serde(default)]
    says: Option<ChangeSheet>,
}

/// A product that is proposed, and what it would say.
async fn newcomer(
    world: &World,
    m: &MarketplaceId,
    product: &Product,
    patch: &Patch,
) -> Result<(Seen, Sheet, Model), Problem> {
    if let Some(there) = world.table.load::<Product>(&Key::product(m, &product.id)).await? {
        return Err(products::taken(&there.value));
    }
    products::known(world, m, product.merchant.as_ref(), &product.categories).await?;
    let seen = Seen::new(product.clone(), None);
    let model = world.table.words(m, &seen.sheet, patch).await?;
    let sheet = seen.patched(patch, &model)?;
    Ok((seen, sheet, model))
}

/// The product and what it says, in one transaction with what has agreed to it. It is shown where it says enough.
async fn admit<'a>(
    world: &World,
    m: &MarketplaceId,
    (commit, context): (Commit<'a, Overtaken>, &Context),
    (product, patch): (&Product, &Patch),
    note: Option<&Reason>,
) -> Result<Commit<'a, Overtaken>, Problem> {
    let (seen, sheet, model) = newcomer(world, m, product, patch).await?;
    let complete = Completeness::of(&sheet.content, &model, &seen.numbers());
    let shown = sheet.content.family().is_none()
        || model.channels.is_empty()
        || model.channels.keys().any(|channel| complete.publishable(channel).is_ok());
    let status = if shown { product.status } else { ProductStatus::Draft };
    let product = Product { status, created_at: context.at, ..product.clone() };
    let story = Story::new([product_created(&product)]);
    let commit = commit.begin(&product, product.id.as_str(), story, Overtaken);
    Ok(Seen::new(product, None).rewrite(commit, context, (sheet, &model), (note, Overtaken)))
}

pub(crate) async fn propose_product(
    State(world): State<World>,
    command: Command<ProposeProduct>,
) -> Result<Reply<ProposalView>, Problem> {
    let m = &command.caller.marketplace;
    let ProposeProduct { merchant, new_product: product, says } = &command.body;
    let mut check = Check::new();
    let merchant = command.reach.whose(&mut check, merchant.as_deref())?;
    let note = says.as_ref().and_then(|says| says.reason.as_deref());
    let note = check.maybe::<Reason>("says.reason", note);
    if product.keeper().is_some() {
        check.wrong(
            "new_product.merchant",
            "unknown",
            "the marketplace keeps what it has agreed to: leave it out",
        );
    }
    let patch = says.as_ref().map(ChangeSheet::patch).transpose()?.unwrap_or_default();
    let product = product.read(&world, m, None, (check, "new_product."))?;
    let Some(merchant) = merchant else { return Err(Problem::internal()) };
    let id = ProposalId::from_bits(world.fresh());
    let (world, command, note) = (&world, &command, &note);
    let (id, product, merchant, patch) = (&id, &product, &merchant, &patch);
    world
        .until_free(|| async {
            let made = newcomer(world, m, product, patch).await;
            if let Some(asked) = command.before(world, made.is_ok()).await? {
                return asked_before(world, m, &asked.resource).await;
            }
            made?;
            let now = world.now();
            let policy = policy_of(world, m).await?.map_or_else(Policy::first, |held| held.value.0);
            let stage = match policy.product {
                Way::Automatic => Stage::Confirmed { since: now, by: BY_POLICY.to_owned() },
                Way::Review => Stage::Pending,
            };
            let about = About::Product { product: Box::new(product.clone()), says: patch.clone() };
            let (id, merchant, note) = (id.clone(), merchant.clone(), note.clone());
            let proposal = Proposal { id, merchant, about, proposed_at: now, note, stage };
            let context = command.context(now);
            let (story, subject) = (story(&proposal), proposal.id.to_string());
            let commit = command.remember(Commit::new(m, &context), now, 201, &subject, Overtaken);
            let commit = commit.begin(&proposal, &subject, story, Overtaken);
            let commit = match policy.product {
                Way::Automatic => {
                    admit(world, m, (commit, &context), (product, patch), proposal.note.as_ref()).await?
                }
                Way::Review => commit,
            };
            commit.send(&world.table).await?;
            Ok(Reply::created(view(&proposal)).revision(1))
        })
        .await
}

async fn asked_before(world: &World, m: &MarketplaceId, id: &str) -> Result<Reply<ProposalView>, Problem> {
    let id: ProposalId = id.parse().map_err(|_| Problem::internal())?;
    let held = world.table.load::<Proposal>(&Key::proposal(m, &id)).await?;
    let held = held.ok_or_else(Problem::busy)?;
    Ok(Reply::ok(view(&held.value)).revision(held.revision()).replayed())
}

/// Resolves a proposal; whoever confirms has it said in the same transaction.
async fn resolve<T>(
    world: &World,
    command: &Command<T>,
    id: &str,
    request: impl Fn(&Proposal) -> Request,
) -> Result<Reply<ProposalView>, Problem> {
    let m = &command.caller.marketplace;
    let id: ProposalId = id.parse().map_err(|_| Problem::not_found("proposal"))?;
    let key = &Key::proposal(m, &id);
    let (id, request) = (&id, &request);
    world
        .until_free(|| async {
            let held = world.table.load::<Proposal>(key).await?;
            let held = held.filter(|held| command.reach.covers(&held.value.merchant));
            let held = held.ok_or_else(|| Problem::not_found("proposal"))?;
            let now = world.now();
            let decided = decide(&held.value, request(&held.value), now);
            let news = matches!(decided, Ok(Decision::New(_)));
            let as_it_is = || Ok(Reply::ok(view(&held.value)).revision(held.revision()).replayed());
            if command.repeats(world, held.revision(), news).await? {
                return as_it_is();
            }
            let fact = match command.audited(world, key, id.as_str(), decided).await? {
                Decision::New(fact) => fact,
                Decision::Already => return as_it_is(),
            };
            let context = command.context(now);
            let story = Story::new([proposal_resolved(&held.value, &fact)]);
            let next = held.value.clone().apply(fact);
            let commit = Commit::new(m, &context).change(&held, &next, id.as_str(), story);
            let commit = match &next.stage {
                Stage::Confirmed { .. } => {
                    let note = next.note.as_ref();
                    match &next.about {
                        About::Product { product, says } => {
                            admit(world, m, (commit, &context), (product, says), note).await?
                        }
                        About::Change { product, patch, .. } => {
                            let open = |product: &Product| open_to(product, &next.merchant);
                            let seen = load_sheet(world, m, product, open).await?;
                            seen.product.unmerged()?;
                            let model = world.table.words(m, &seen.sheet, patch).await?;
                            let sheet = seen.patched(patch, &model)?;
                            seen.rewrite(commit, &context, (sheet, &model), (note, Overtaken))
                        }
                    }
                }
                Stage::Pending | Stage::Declined { .. } | Stage::Canceled { .. } => commit,
            };
            command.remember(commit, now, 200, id.as_str(), Overtaken).send(&world.table).await?;
            Ok(Reply::ok(view(&next)).revision(held.next_step()))
        })
        .await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ResolveProposal {}

pub(crate) async fn confirm(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<ResolveProposal>,
) -> Result<Reply<ProposalView>, Problem> {
    let request = |_: &Proposal| Request::Confirm { by: command.caller.actor.clone() };
    resolve(&world, &command, &id, request).await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct DeclineProposal {
    /// The merchant reads it.
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    reason: String,
}

pub(crate) async fn decline(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<DeclineProposal>,
) -> Result<Reply<ProposalView>, Problem> {
    let mut check = Check::new();
    let reason = check.parse::<Reason>("reason", &command.body.reason);
    check.done()?;
    let Some(reason) = reason else { return Err(Problem::internal()) };
    let by = &command.caller.actor;
    let request = |_: &Proposal| Request::Decline { by: by.clone(), reason: reason.clone() };
    resolve(&world, &command, &id, request).await
}

/// By the merchant, or by an operator in its name.
pub(crate) async fn cancel(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<ResolveProposal>,
) -> Result<Reply<ProposalView>, Problem> {
    let request = |proposal: &Proposal| Request::Cancel { merchant: proposal.merchant.clone() };
    resolve(&world, &command, &id, request).await
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<ProposalView>, Problem> {
    let id: ProposalId = id.parse().map_err(|_| Problem::not_found("proposal"))?;
    let held = world.table.load::<Proposal>(&Key::proposal(&query.caller.marketplace, &id)).await?;
    let held = held.filter(|held| query.reach.covers(&held.value.merchant));
    let held = held.ok_or_else(|| Problem::not_found("proposal"))?;
    Ok(Reply::ok(view(&held.value)).revision(held.revision()))
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ProposalRow {
    id: String,
    merchant: String,
    product: String,
    proposed_at: String,
    status: String,
}

fn row(summary: ProposalSummary) -> ProposalRow {
    let ProposalSummary { id, merchant, product, proposed_at, status } = summary;
    ProposalRow {
        id: id.to_string(),
        merchant: merchant.to_string(),
        product: product.to_string(),
        proposed_at: proposed_at.to_string(),
        status,
    }
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOfKeeper>,
) -> Result<Reply<Listing<ProposalRow>>, Problem> {
    let (merchant, Paging { limit, after }) = query.kept()?;
    let m = &query.caller.marketplace;
    let page = world.table.proposals(m, merchant.as_ref(), limit, after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, row)))
}

/// What of a merchant's proposal is said at once (`automatic`), and what waits for a person (`review`).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ProposalPolicy"))]
pub(crate) struct PolicyBody {
    /// A product that was not there before.
    product: Way,
    /// The price of the merchant's own offer.
    price: Way,
    /// The attribute that the family calls its label.
    title: Way,
    family: Way,
    /// Pictures, films and models.
    assets: Way,
    /// By code.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<Code, Way>"))]
    attributes: BTreeMap<String, Way>,
    /// Attributes that are not named.
    otherwise: Way,
}

fn shown(policy: &Policy) -> PolicyBody {
    let Policy { product, price, title, family, assets, attributes, otherwise } = policy;
    PolicyBody {
        product: *product,
        price: *price,
        title: *title,
        family: *family,
        assets: *assets,
        attributes: attributes.iter().map(|(code, way)| (code.to_string(), *way)).collect(),
        otherwise: *otherwise,
    }
}

pub(crate) async fn policy(
    State(world): State<World>,
    query: Query<NoParameters>,
) -> Result<Reply<PolicyBody>, Problem> {
    let held = policy_of(&world, &query.caller.marketplace).await?;
    let revision = held.as_ref().map_or(0, Held::revision);
    let policy = held.map_or_else(Policy::first, |held| held.value.0);
    Ok(Reply::ok(shown(&policy)).revision(revision))
}

pub(crate) async fn set_policy(
    State(world): State<World>,
    command: Command<PolicyBody>,
) -> Result<Reply<PolicyBody>, Problem> {
    let body = &command.body;
    let mut check = Check::new();
    let mut attributes = BTreeMap::new();
    for (code, way) in &body.attributes {
        let code = check.parse::<Code>(format!("attributes.{code:.70}"), code);
        attributes.extend(code.map(|code| (code, *way)));
    }
    check.done()?;
    let &PolicyBody { product, price, title, family, assets, otherwise, .. } = body;
    let policy = Policy { product, price, title, family, assets, attributes, otherwise };
    let told = || Story::new([Announced::of(&ProposalPolicyChangedV1 {})]);
    let policy = ProposalPolicy(policy);
    set(&world, &command, (&policy, "proposal-policy"), told, |policy| shown(&policy.0)).await
}
