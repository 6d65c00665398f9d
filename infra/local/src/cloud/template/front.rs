//! What everybody may fetch: a distribution before a bucket, and the part of it that the bucket's policy opens.
//!
//! Cache behaviors have no meaning in one process: what a file says of itself is answered as it is.

use serde::Deserialize;
use serde_json::Value as Json;

use super::resources::{Resource, last_of_arn};
use super::{Shown, TemplateError, unknown};

type Result<T> = std::result::Result<T, TemplateError>;

const ONE_BUCKET: &str = "a distribution of one bucket with one behavior is understood";

/// The bucket that a distribution stands before.
pub(super) fn front(resource: &Resource) -> Result<String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "PascalCase")]
    struct Properties {
        distribution_config: Config,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "PascalCase")]
    struct Config {
        enabled: bool,
        origins: Vec<Origin>,
        #[serde(rename = "DefaultCacheBehavior")]
        _behavior: Json,
        #[serde(rename = "HttpVersion")]
        _version: Option<Json>,
        #[serde(rename = "IPV6Enabled")]
        _ipv6: Option<Json>,
        #[serde(rename = "Comment")]
        _comment: Option<Json>,
        #[serde(rename = "PriceClass")]
        _price: Option<Json>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "PascalCase")]
    struct Origin {
        #[serde(rename = "Id")]
        _id: Json,
        domain_name: String,
        #[serde(rename = "OriginAccessControlId")]
        _access: Json,
        #[serde(rename = "S3OriginConfig")]
        _s3: Json,
    }
    let read: Properties = resource.take(&["Tags"])?;
    let config = read.distribution_config;
    match config.origins.as_slice() {
        [one] if config.enabled => Ok(one.domain_name.split('.').next().unwrap_or_default().to_owned()),
        _ => Err(unknown(&resource.logical, ONE_BUCKET)),
    }
}

/// What a bucket's policy lets distributions fetch; whatever else it says is between AWS and itself.
pub(super) fn shown(resource: &Resource) -> Result<Vec<Shown>> {
    let document = &resource.properties["PolicyDocument"];
    let bucket = resource.properties["Bucket"].as_str().unwrap_or_default();
    let mut shown = Vec::new();
    for statement in document["Statement"].as_array().into_iter().flatten() {
        if statement["Principal"]["Service"] != "cloudfront.amazonaws.com" {
            continue;
        }
        let resources = statement["Resource"].as_str().map(last_of_arn_path);
        match resources {
            Some((of, begins)) if of == bucket && statement["Effect"] == "Allow" => {
                shown.push(Shown { bucket: of, begins });
            }
            Some(_) | None => {
                let why = "a distribution's statement allows one beginning of this bucket's names";
                return Err(unknown(&resource.logical, why));
            }
        }
    }
    Ok(shown)
}

/// Bucket and beginning of names in an ARN like `arn:aws:s3:::bucket/media/*`.
fn last_of_arn_path(arn: &str) -> (String, String) {
    let (bucket, begins) = arn.split_once('/').unwrap_or((arn, ""));
    (last_of_arn(bucket), begins.trim_end_matches('*').to_owned())
}
