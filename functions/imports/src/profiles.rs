//! Profiles: how a source's rows are read. An operator's, read by everybody who imports.

use axum::extract::{Path, State};
use domain::id::MarketplaceId;
use domain::pim::exchange::{Empty, Field, Mapping, Profile, To};
use domain::pim::translation::file;
use domain::text::Code;
use edge::change::set;
use edge::query::None as NoParameters;
use edge::{Check, Command, Listing, PageOf, Problem, Query, Reply, World};
use events::Announced;
use events::import::ImportProfileChangedV1;
use serde::{Deserialize, Serialize};
use table::import::ImportProfile;
use table::{Fault, Key, Story};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ImportProfileView {
    code: String,
    mappings: Vec<Mapping>,
    empty: Empty,
}

fn view(profile: &ImportProfile) -> ImportProfileView {
    let Profile { code, mappings, empty } = profile.0.clone();
    ImportProfileView { code: code.to_string(), mappings, empty }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SetImportProfile {
    /// What becomes of which column, 1 to 500.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = domain::pim::exchange::MAPPINGS_MAX)))]
    mappings: Vec<Mapping>,
    /// What an empty cell says: nothing, if not said.
    #[serde(default)]
    empty: Empty,
}

/// The profile of a name, as operators have set it or as it is there from the start; and its revision.
pub(crate) async fn named(
    world: &World,
    m: &MarketplaceId,
    code: &Code,
) -> Result<Option<(ImportProfile, u64)>, Fault> {
    let held = world.table.load::<ImportProfile>(&Key::import_profile(m, code)).await?;
    let own = || (code.as_str() == file::PROFILE).then(|| (ImportProfile(file::profile(code.clone())), 0));
    Ok(held.map(|held| (held.value.clone(), held.revision())).or_else(own))
}

/// Fields that nothing is made of here.
const NOT_IMPORTED: [(Field, &str); 4] = [
    (Field::Brand, "brand"),
    (Field::Mpn, "mpn"),
    (Field::Quantity, "quantity"),
    (Field::Pictures, "pictures"),
];

pub(crate) async fn set_one(
    State(world): State<World>,
    Path(code): Path<String>,
    command: Command<SetImportProfile>,
) -> Result<Reply<ImportProfileView>, Problem> {
    let mut check = Check::new();
    let code = check.parse::<Code>("code", &code);
    for (at, mapping) in command.body.mappings.iter().enumerate() {
        let named = NOT_IMPORTED.iter().find(|(field, _)| mapping.to == To::Field(*field));
        if let Some((_, name)) = named {
            let message =
                format!("`{name}` is not imported: make it the value of an attribute, or leave it out");
            check.wrong(format!("mappings[{at}].to"), "unknown", message);
        }
    }
    check.done()?;
    let code = code.ok_or_else(Problem::internal)?;
    let (mappings, empty) = (command.body.mappings.clone(), command.body.empty);
    let profile = ImportProfile(Profile { code, mappings, empty });
    profile.0.check()?;
    let code = &profile.0.code;
    let told = || Story::new([Announced::of(&ImportProfileChangedV1 { profile: code.to_string() })]);
    set(&world, &command, (&profile, &format!("import_profile-{code}")), told, view).await
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(code): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<ImportProfileView>, Problem> {
    let unknown = || Problem::not_found("import profile");
    let code: Code = code.parse().map_err(|_| unknown())?;
    let found = named(&world, &query.caller.marketplace, &code).await?;
    let (profile, revision) = found.ok_or_else(unknown)?;
    Ok(Reply::ok(view(&profile)).revision(revision))
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<ImportProfileView>>, Problem> {
    let paging = query.parameters.read()?;
    let m = &query.caller.marketplace;
    let page = world.table.import_profiles(m, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, |profile| view(&ImportProfile(profile)))))
}
