//! The marketplace in the local cloud: every function of the template, with a clock that can be moved.

use crate::cloud::{Cloud, CloudError, Handler, Pace, Place, Template, Time};
use crate::demo::OPERATOR;
use crate::issuer::{AUDIENCE, ISSUER, Issuer, jwks_uri};
use edge::identity::Keys;
use edge::{Clock, Function, World};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use table::Key;
use table::due::{Work, due_at};

/// The one wiring diagram, as it was when this was built.
const TEMPLATE: &str = include_str!("../../template.yaml");
/// Where the clock's shift is kept between runs.
const CLOCK: &str = "clock.txt";

/// A running marketplace. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Market {
    pub cloud: Cloud,
    pub clock: Clock,
    pub issuer: Issuer,
    /// For commands that look at the table as an operator may.
    pub world: World,
}

/// Why a marketplace does not open.
#[derive(Debug, thiserror::Error)]
pub enum NotOpen {
    #[error("infra/template.yaml is not understood")]
    Template(#[from] crate::cloud::TemplateError),
    #[error("the local cloud does not open")]
    Cloud(#[from] CloudError),
    #[error("{path}: the file cannot be used")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the development issuer has no key")]
    Issuer(#[from] crate::issuer::NoKey),
    #[error(transparent)]
    Unset(#[from] edge::world::Unset),
}

impl Market {
    /// Opens in a folder, for good; the clock goes on where it was left, or begins at `start` (now, if none).
    pub async fn open(folder: &Path, start: Option<Timestamp>) -> Result<Self, NotOpen> {
        std::fs::create_dir_all(folder)
            .map_err(|source| NotOpen::File { path: folder.to_owned(), source })?;
        let kept = std::fs::read_to_string(folder.join(CLOCK)).ok().and_then(|text| text.trim().parse().ok());
        let shift: SignedDuration = kept.unwrap_or_else(|| {
            let now = Clock::System.now();
            start.map_or(SignedDuration::ZERO, |start| start.duration_since(now))
        });
        let clock = Clock::shifted(shift);
        keep(folder, &clock)?;
        let place = Place::Folder(folder.to_owned());
        Self::assemble(place, clock, Pace::Parallel, parameters(), &straight).await
    }

    /// Opens in memory with a clock that stands still at `start`: tests, benchmarks.
    pub async fn in_memory(start: Timestamp, pace: Pace) -> Result<Self, NotOpen> {
        Self::in_memory_with(start, pace, &[]).await
    }

    /// The same on the disk, in a folder below this one that goes with it: for what memory is not there for.
    pub async fn below(folder: &Path, start: Timestamp, pace: Pace) -> Result<Self, NotOpen> {
        std::fs::create_dir_all(folder)
            .map_err(|source| NotOpen::File { path: folder.to_owned(), source })?;
        let place = Place::Below(folder.to_owned());
        Self::assemble(place, Clock::manual(start), pace, parameters(), &straight).await
    }

    /// The same with parameters of the template of its own.
    pub async fn in_memory_with(
        start: Timestamp,
        pace: Pace,
        more: &[(&str, &str)],
    ) -> Result<Self, NotOpen> {
        let mut parameters = parameters();
        parameters.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Self::assemble(Place::Memory, Clock::manual(start), pace, parameters, &straight).await
    }

    /// Opens at a place with a clock that stands still at `start`, with something between the functions and the cloud.
    pub(crate) async fn with_rim(place: Place, start: Timestamp, rim: &Rim<'_>) -> Result<Self, NotOpen> {
        Self::assemble(place, Clock::manual(start), Pace::Parallel, parameters(), rim).await
    }

    async fn assemble(
        place: Place,
        clock: Clock,
        pace: Pace,
        parameters: BTreeMap<String, String>,
        rim: &Rim<'_>,
    ) -> Result<Self, NotOpen> {
        let template = Template::read(TEMPLATE, &parameters)?;
        let (now, moved) = (clock.clone(), clock.clone());
        let folder = match &place {
            Place::Folder(folder) => Some(folder.clone()),
            Place::Memory | Place::Below(_) | Place::CopyOf(_) => None,
        };
        // Kept at each step, before what falls due there: after a kill no claim lies in the future.
        let advance = move |by| {
            moved.advance(by);
            if let Some(Err(error)) = folder.as_deref().map(|folder| keep(folder, &moved)) {
                tracing::error!(error = edge::chain(&error), "the clock is not kept");
            }
        };
        let time = Time::new(Arc::new(move || now.now()), Arc::new(advance));
        let cloud = Cloud::open_at(template, place, time, pace).await?;
        let issuer = Issuer::open(&cloud.folder().join("issuer.der"))?;
        let keys = keys_of(&issuer);
        for (name, build) in functions() {
            let (environment, config) = (cloud.environment(name)?, cloud.sdk_config(name));
            let (clock, keys) = (clock.clone(), keys.clone());
            cloud.register(name, rim(name, build, Outside { environment, config, clock, keys })?);
        }
        cloud.check_wired()?;
        let environment = cloud.environment("admin")?;
        let world = World::new(cloud.sdk_config("souk"), environment, clock.clone(), keys)?;
        for (name, work) in [
            ("orders", Work::Unpaid),
            ("payment", Work::Payment),
            ("payout", Work::Payout),
            ("recurring-billing", Work::Subscription),
            ("dunning", Work::Dunning),
            ("abandoned-cart", Work::Reminder),
            ("webhooks", Work::Webhook),
            ("review-collection", Work::Review),
            ("scheduled-changes", Work::SheetChange),
            ("media", Work::Rights),
        ] {
            cloud.doze(name, Key::due_partitions(work), due_at);
        }
        Ok(Self { cloud, clock, issuer, world })
    }

    /// Moves time on, through every schedule and time-out on the way.
    pub async fn advance(&self, by: SignedDuration) -> Result<(), NotOpen> {
        self.cloud.advance(by).await?;
        Ok(())
    }

    /// Moves time on to a moment; one that is past already changes nothing.
    pub async fn advance_to(&self, at: Timestamp) -> Result<(), NotOpen> {
        let missing = at.duration_since(self.clock.now());
        if missing.is_positive() { self.advance(missing).await } else { Ok(()) }
    }
}

/// Keeps the clock's shift for the next run; a kill in between leaves the one before.
fn keep(folder: &Path, clock: &Clock) -> Result<(), NotOpen> {
    let (path, fresh) = (folder.join(CLOCK), folder.join("clock.new"));
    let put = std::fs::write(&fresh, format!("{}\n", clock.shift()));
    put.and_then(|()| std::fs::rename(&fresh, &path)).map_err(|source| NotOpen::File { path, source })
}

/// What notices of the sandbox are signed with here; it moves no money.
pub const SANDBOX_SECRET: &str = "whsec_c291ay1zYW5kYm94LXNlY3JldA==";

/// Parameters that a person may pass by the environment: gateways, with their secrets as they are.
const FROM_ENVIRONMENT: [(&str, &str); 5] = [
    ("Gateways", "SOUK_GATEWAYS"),
    ("StripeKey", "STRIPE_KEY"),
    ("StripeWebhookSecret", "STRIPE_WEBHOOK_SECRET"),
    ("StripeAddress", "STRIPE_ADDRESS"),
    ("StripeReturnUrl", "STRIPE_RETURN_URL"),
];

/// The template's parameters here: people sign in with the development issuer, and its operator opens marketplaces.
fn parameters() -> BTreeMap<String, String> {
    let jwks_uri = jwks_uri();
    let given = [
        ("SandboxSecret", SANDBOX_SECRET),
        ("Architecture", "x86_64"),
        ("WebhookReceivers", "local"),
        ("MailFrom", "shop@souk.example"),
        ("PublicAddress", "http://127.0.0.1:8080"),
        ("MediaAddress", "http://127.0.0.1:8080"),
        ("OperatorIssuer", ISSUER),
        ("OperatorAudience", AUDIENCE),
        ("OperatorJwksUri", &jwks_uri),
        ("OperatorSubject", OPERATOR),
    ];
    let passed =
        FROM_ENVIRONMENT.iter().filter_map(|(name, variable)| Some((*name, std::env::var(variable).ok()?)));
    let given = given.map(|(name, value)| (name, value.to_owned()));
    given.into_iter().chain(passed).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Makes a function for a world.
pub type Build = fn(&World) -> Function;

/// What the cloud has for a function.
#[derive(Debug, Clone)]
pub(crate) struct Outside {
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) config: aws_types::SdkConfig,
    pub(crate) clock: Clock,
    pub(crate) keys: Keys,
}

impl Outside {
    pub(crate) fn world(self) -> Result<World, edge::world::Unset> {
        let Self { environment, config, clock, keys } = self;
        World::new(config, environment, clock, keys)
    }
}

/// How a function is put into the cloud.
pub(crate) type Rim<'a> = dyn Fn(&'static str, Build, Outside) -> Result<Handler, NotOpen> + Sync + 'a;

/// With nothing in between.
fn straight(_: &'static str, build: Build, outside: Outside) -> Result<Handler, NotOpen> {
    Ok(handler(build(&outside.world()?)))
}

/// Every function, by the name that the template gives its code.
pub fn functions() -> [(&'static str, Build); 33] {
    [
        ("abandoned-cart", abandoned_cart::function),
        ("admin", admin::function),
        ("cart", cart::function),
        ("catalog", catalog::function),
        ("checkout", checkout::function),
        ("collections", collections::function),
        ("customers", customers::function),
        ("delivery", delivery::function),
        ("dunning", dunning::function),
        ("duplicates", duplicates::function),
        ("exports", exports::function),
        ("fulfillment", fulfillment::function),
        ("imports", imports::function),
        ("inventory", inventory::function),
        ("invoices", invoices::function),
        ("ledger", ledger::function),
        ("media", media::function),
        ("merchants", merchants::function),
        ("notifications", notifications::function),
        ("order-split", order_split::function),
        ("orders", orders::function),
        ("outbox", outbox::function),
        ("payment", payment::function),
        ("payout", payout::function),
        ("fx", fx::function),
        ("recurring-billing", recurring_billing::function),
        ("review-collection", review_collection::function),
        ("scheduled-changes", scheduled_changes::function),
        ("subscriptions", subscriptions::function),
        ("promotions", promotions::function),
        ("tax", tax::function),
        ("wish-lists", wish_lists::function),
        ("webhooks", webhooks::function),
    ]
}

fn handler(function: Function) -> Handler {
    Arc::new(move |event| {
        let function = function.clone();
        Box::pin(async move { function.call(event).await.map_err(|error| edge::chain(error.as_ref())) })
    })
}

/// The development issuer's keys are known without a request.
fn keys_of(issuer: &Issuer) -> Keys {
    let (address, keys) = (issuer.jwks_uri(), issuer.jwks());
    Keys::new(Arc::new(move |asked| {
        let answer = if asked == address { Ok(keys.clone()) } else { Err(format!("{asked} is not local")) };
        Box::pin(async move { answer })
    }))
}
