//! The routes of a function: one table that routes, admits and tells.
//!
//! ```text
//! Routes::new()
//!     .get("/v1/orders/{id}", show::one)                          method, path, handler
//!     .operators("orders:read", "orders.show", "An order")        who, with which scope; name for ever; what it is
//! ```
//!
//! - `.get` reads, `.post` changes, `.create` is a POST that makes a thing (201, or 200 for a repeat), `.patch` needs
//!   an `If-Match`.
//! - `.operators` admits people and systems that act for the whole marketplace; `.merchants` a merchant's own too: the
//!   handler asks `reach.covers(&merchant)` and answers 404 for another merchant's object; `.everyone` all of them, to
//!   what merchants share; `.owners` operators, and customers for what is their own: the handler asks
//!   `caller.owns(&reach, &customer)` and answers 404 for another's; `.persons` whoever has signed in; `.shoppers`
//!   guests too; `.founder` and `.signed` leave it to the handler's input. Handlers name no scope.
//! - A handler takes `State<World>`, `Path<…>` where the path has variables, and last `Command<Body>` or
//!   `Query<Parameters>`; it answers `Result<Reply<View>, Problem>`. Body, parameters and view carry
//!   `#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]`; their doc comments are the contract's words.
//! - The crate has the feature `schema = ["dep:schemars", "edge/schema", …]`, and `tests/Cargo.toml` turns it on. Then
//!   `UPDATE=1 cargo test -p tests --test contract` writes the contract. A path about a new kind of thing wants one in
//!   `tests/contract/permissions.rs`; an operation that the story in `tests/contract/examples.rs` calls has an example.
//!
//! A request meets: its trace id, the route, who may (401, 403), the handler's own reading (400, 422), the handler. So
//! nobody learns from a refusal what he may not see. `infra/openapi.json` and the proof of permissions are made from
//! this table, in `tests/contract`.

use crate::command::{Command, Reply, request_id};
use crate::identity::{Caller, Reach};
use crate::problem::Problem;
use crate::query::Query;
use crate::world::World;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::handler::Handler;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use tracing::Instrument;

/// What an operation is, beside its handler.
#[derive(Debug, Clone)]
pub struct Operation {
    pub method: Method,
    pub path: &'static str,
    /// Its name in the contract, for ever: `orders.show`.
    pub name: &'static str,
    /// One line of what it does.
    pub summary: &'static str,
    pub scope: &'static str,
    pub audience: Audience,
    /// Whether it makes a thing: 201.
    pub creates: bool,
    /// Whether what comes of it may only be known later: 202.
    pub later: bool,
    #[cfg(feature = "schema")]
    pub shape: Shape,
}

/// Whose requests an operation admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Who acts for the whole marketplace.
    Operators,
    /// Merchants too, each for its own objects.
    Merchants,
    /// Merchants too, for what all of them share.
    Everyone,
    /// Who acts for the whole marketplace by the scope; who has signed in, for what is the person's own.
    Owners,
    /// People who have signed in, whatever their roles.
    Persons,
    /// Those who shop: guests by the storefront's publishable key, and people who have signed in.
    Shoppers,
    /// Whoever runs the deployment; the handler asks, for there may be no marketplace yet.
    Founder,
    /// Whoever proves by the request itself, with a signature over its raw body: the handler's input looks.
    Signed,
}

/// What a handler takes and answers, as it says in its type.
#[cfg(feature = "schema")]
pub type Shape = fn(&mut schemars::SchemaGenerator) -> Described;

/// The schemas of a handler.
#[cfg(feature = "schema")]
#[derive(Debug, Clone)]
pub struct Described {
    /// Of the body, or of the parameters of the query.
    pub takes: schemars::Schema,
    pub has_body: bool,
    pub answers: schemars::Schema,
}

/// What can say its schema; without the feature nothing is asked.
#[cfg(feature = "schema")]
pub use schemars::JsonSchema as Schema;
/// What can say its schema; without the feature nothing is asked.
#[cfg(not(feature = "schema"))]
pub trait Schema {}
#[cfg(not(feature = "schema"))]
impl<T> Schema for T {}

/// The last thing that a handler takes.
pub trait Input {
    /// The body, or the parameters of the query.
    type Words: Schema;
    const HAS_BODY: bool;
}

impl<B: Schema> Input for Command<B> {
    type Words = B;
    const HAS_BODY: bool = true;
}

impl<P: Schema> Input for Query<P> {
    type Words = P;
    const HAS_BODY: bool = false;
}

/// A handler whose own type says what it takes and what it answers.
pub trait Handles<T>: Handler<T, World> {
    type Input: Input;
    type View: Schema;
}

impl<F, Fut, M, I, V> Handles<(M, State<World>, I)> for F
where
    F: Handler<(M, State<World>, I), World> + Fn(State<World>, I) -> Fut,
    Fut: Future<Output = Result<Reply<V>, Problem>>,
    I: Input,
    V: Schema,
{
    type Input = I;
    type View = V;
}

impl<F, Fut, M, P, I, V> Handles<(M, State<World>, Path<P>, I)> for F
where
    F: Handler<(M, State<World>, Path<P>, I), World> + Fn(State<World>, Path<P>, I) -> Fut,
    Fut: Future<Output = Result<Reply<V>, Problem>>,
    I: Input,
    V: Schema,
{
    type Input = I;
    type View = V;
}

#[cfg(feature = "schema")]
fn shape<I: Input, V: Schema>(generator: &mut schemars::SchemaGenerator) -> Described {
    // Parameters are listed one by one, so theirs has no name.
    let takes = match I::HAS_BODY {
        true => generator.subschema_for::<I::Words>(),
        false => I::Words::json_schema(generator),
    };
    Described { takes, has_body: I::HAS_BODY, answers: generator.subschema_for::<V>() }
}

/// The table.
#[derive(Debug, Default)]
pub struct Routes {
    routes: Vec<(Operation, MethodRouter<World>)>,
}

/// A route that does not say yet who may take it.
#[derive(Debug)]
#[must_use = "say whom it admits: `.operators(…)` or `.merchants(…)`"]
pub struct Route {
    before: Routes,
    operation: Operation,
    handler: MethodRouter<World>,
}

impl Routes {
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads.
    pub fn get<T: 'static, H: Handles<T>>(self, path: &'static str, handler: H) -> Route {
        self.route(Method::GET, MethodFilter::GET, false, path, handler)
    }

    /// Changes a thing.
    pub fn post<T: 'static, H: Handles<T>>(self, path: &'static str, handler: H) -> Route {
        self.route(Method::POST, MethodFilter::POST, false, path, handler)
    }

    /// Makes a thing.
    pub fn create<T: 'static, H: Handles<T>>(self, path: &'static str, handler: H) -> Route {
        self.route(Method::POST, MethodFilter::POST, true, path, handler)
    }

    /// Changes fields of a thing that the caller has seen.
    pub fn patch<T: 'static, H: Handles<T>>(self, path: &'static str, handler: H) -> Route {
        self.route(Method::PATCH, MethodFilter::PATCH, false, path, handler)
    }

    fn route<T: 'static, H: Handles<T>>(
        self,
        method: Method,
        filter: MethodFilter,
        creates: bool,
        path: &'static str,
        handler: H,
    ) -> Route {
        let operation = Operation {
            method,
            path,
            name: "",
            summary: "",
            scope: "",
            audience: Audience::Operators,
            creates,
            later: false,
            #[cfg(feature = "schema")]
            shape: shape::<H::Input, H::View>,
        };
        Route { before: self, operation, handler: on(filter, handler) }
    }

    /// What is routed, in the order of the table.
    pub fn operations(&self) -> Vec<Operation> {
        self.routes.iter().map(|(operation, _)| operation.clone()).collect()
    }

    /// The router. A path that no route takes is a 404 problem, a method a 405.
    pub(crate) fn serve(self, world: &World) -> Router {
        let unknown = || async { Problem::not_found("path") };
        let method =
            || async { Problem::new(405, "method_not_allowed", "The path does not take this method") };
        let mut router = Router::new();
        for (operation, handler) in self.routes {
            let path = operation.path;
            let gate = (world.clone(), operation.scope, operation.audience);
            router = router.route(path, handler.route_layer(from_fn_with_state(gate, admit)));
        }
        let router = router.fallback(unknown).method_not_allowed_fallback(method);
        router.layer(from_fn_with_state(world.clone(), in_our_words)).with_state(world.clone())
    }
}

impl Route {
    /// What comes of it may only be known later: then it is a 202.
    pub fn or_later(self) -> Self {
        Self { operation: Operation { later: true, ..self.operation }, ..self }
    }

    /// For people and systems that act for the whole marketplace.
    pub fn operators(self, scope: &'static str, name: &'static str, summary: &'static str) -> Routes {
        self.admits(Audience::Operators, scope, name, summary)
    }

    /// For merchants' people and systems too; the handler looks at what is theirs.
    pub fn merchants(self, scope: &'static str, name: &'static str, summary: &'static str) -> Routes {
        self.admits(Audience::Merchants, scope, name, summary)
    }

    /// For merchants' people and systems too, to see what merchants share.
    pub fn everyone(self, scope: &'static str, name: &'static str, summary: &'static str) -> Routes {
        self.admits(Audience::Everyone, scope, name, summary)
    }

    /// For operators by the scope, and for customers who have signed in: the handler looks at what is theirs.
    pub fn owners(self, scope: &'static str, name: &'static str, summary: &'static str) -> Routes {
        self.admits(Audience::Owners, scope, name, summary)
    }

    /// For people who have signed in, whatever their roles: the handler asks who it is.
    pub fn persons(self, name: &'static str, summary: &'static str) -> Routes {
        self.admits(Audience::Persons, "", name, summary)
    }

    /// For those who shop, guests too: the handler asks who it is, and looks at what is theirs.
    pub fn shoppers(self, name: &'static str, summary: &'static str) -> Routes {
        self.admits(Audience::Shoppers, "", name, summary)
    }

    /// For whoever runs the deployment: the handler's own input admits, before it reads anything else.
    pub fn founder(self, name: &'static str, summary: &'static str) -> Routes {
        self.admits(Audience::Founder, "", name, summary)
    }

    /// For senders that sign what they send: the handler's own input admits, before it reads anything else.
    pub fn signed(self, name: &'static str, summary: &'static str) -> Routes {
        self.admits(Audience::Signed, "", name, summary)
    }

    fn admits(
        self,
        audience: Audience,
        scope: &'static str,
        name: &'static str,
        summary: &'static str,
    ) -> Routes {
        let Self { before: Routes { mut routes }, operation, handler } = self;
        routes.push((Operation { name, summary, scope, audience, ..operation }, handler));
        Routes { routes }
    }
}

/// Whom a route has let in, for the handler.
#[derive(Debug, Clone)]
pub(crate) struct Admitted {
    pub(crate) caller: Caller,
    pub(crate) reach: Reach,
}

impl Admitted {
    /// Of a request that came through a table of routes; there is no other way in.
    pub(crate) fn of(extensions: &mut http::Extensions) -> Result<Self, Problem> {
        extensions.remove().ok_or_else(Problem::internal)
    }
}

/// Lets in who may, before anything of the request is read.
async fn admit(
    State((world, scope, audience)): State<(World, &'static str, Audience)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if let Audience::Founder | Audience::Signed = audience {
        return Ok(next.run(request).await);
    }
    let caller = Caller::of(&world, request.headers()).await?;
    let reach = match audience {
        Audience::Persons => caller.person().map(|_| Reach::Merchants(Vec::new()))?,
        Audience::Owners => match caller.reach(scope) {
            Ok(Reach::All) => Reach::All,
            Ok(Reach::Merchants(_)) | Err(_) => match caller.person() {
                Ok(_) => Reach::Merchants(Vec::new()),
                Err(_) => return Err(Problem::forbidden(format!("it needs the scope `{scope}`"))),
            },
        },
        Audience::Shoppers => caller.shopper().map(|_| Reach::Merchants(Vec::new()))?,
        Audience::Operators
        | Audience::Merchants
        | Audience::Everyone
        | Audience::Founder
        | Audience::Signed => caller.reach(scope)?,
    };
    if audience == Audience::Operators && reach != Reach::All {
        return Err(Problem::forbidden(format!("`{scope}` is for operators here")));
    }
    request.extensions_mut().insert(Admitted { caller, reach });
    Ok(next.run(request).await)
}

/// The request's own id: API Gateway's, where one stands before us. It heads the chain of causes of what the request
/// changes, and stands in log lines and problems: the three meet.
#[derive(Debug, Clone)]
pub struct TraceId(pub String);

/// Every refusal is a problem document with the request's trace id: what a handler answers, and what the router refuses
/// by itself, such as a path that is no UTF-8.
async fn in_our_words(State(world): State<World>, mut request: Request, next: Next) -> Response {
    let trace = request_id(&world, request.extensions());
    request.extensions_mut().insert(TraceId(trace.clone()));
    let span = tracing::info_span!("request", trace_id = trace);
    let mut response = next.run(request).instrument(span).await;
    let kind = response.headers().get(http::header::CONTENT_TYPE);
    let plain = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let problem = response.extensions_mut().remove::<Problem>();
    let problem = problem
        .or_else(|| (plain && response.status().is_client_error()).then(|| Problem::not_found("path")));
    match problem {
        Some(problem) => Problem { trace_id: Some(trace.into()), ..problem }.into_response(),
        None => response,
    }
}
