//! Which function answers a request: API Gateway's choice among the routes.

use std::collections::BTreeMap;

use super::template::Route;

/// The order in which routes are tried: the most specific path first, a named method before any, `$default`
/// last.
pub(super) fn rank(route: &Route) -> (Vec<u8>, bool) {
    let segments = route.path.as_deref().map_or_else(
        || vec![u8::MAX],
        |path| {
            path.split('/')
                .map(|segment| if segment.ends_with("+}") { 2 } else { u8::from(segment.starts_with('{')) })
                .collect()
        },
    );
    (segments, route.method.is_none())
}

/// The route for a request and what its variables hold, still percent-encoded as they came.
pub(super) fn find<'a>(
    routes: &'a [Route],
    method: &str,
    path: &str,
) -> Option<(&'a Route, BTreeMap<String, String>)> {
    routes.iter().find_map(|route| {
        if route.method.as_deref().is_some_and(|wanted| wanted != method) {
            return None;
        }
        let variables =
            route.path.as_deref().map_or_else(|| Some(BTreeMap::new()), |own| variables(own, path))?;
        Some((route, variables))
    })
}

fn variables(pattern: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut rest = path.strip_prefix('/')?;
    let mut done = false;
    for segment in pattern.strip_prefix('/')?.split('/') {
        if done {
            return None;
        }
        if let Some(name) = segment.strip_prefix('{').and_then(|name| name.strip_suffix("+}")) {
            if rest.is_empty() {
                return None;
            }
            found.insert(name.to_owned(), rest.to_owned());
            return Some(found);
        }
        let (own, after) = rest.split_once('/').map_or((rest, None), |(own, after)| (own, Some(after)));
        match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !own.is_empty() => {
                found.insert(name.to_owned(), own.to_owned());
            }
            Some(_) => return None,
            None if segment == own => {}
            None => return None,
        }
        rest = after.unwrap_or_default();
        done = after.is_none();
    }
    done.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(key: &str) -> Route {
        let (method, path) =
            key.split_once(' ').map_or((None, None), |(method, path)| (Some(method), Some(path)));
        Route {
            key: key.to_owned(),
            method: method.filter(|method| *method != "ANY").map(str::to_owned),
            path: path.map(str::to_owned),
            function: "toy".to_owned(),
        }
    }

    #[test]
    fn the_most_specific_route_answers() {
        let keys = [
            "$default",
            "ANY /{proxy+}",
            "GET /v1/orders/{proxy+}",
            "ANY /v1/orders/{id}",
            "GET /v1/orders/{id}",
            "GET /v1/orders/mine",
            "ANY /v1/orders",
        ];
        let mut routes: Vec<_> = keys.map(route).into();
        routes.sort_by_key(rank);
        let table = [
            ("GET", "/v1/orders/mine", "GET /v1/orders/mine", ""),
            ("GET", "/v1/orders/7", "GET /v1/orders/{id}", "id=7"),
            ("POST", "/v1/orders/7", "ANY /v1/orders/{id}", "id=7"),
            ("GET", "/v1/orders/7/lines", "GET /v1/orders/{proxy+}", "proxy=7/lines"),
            ("PUT", "/v1/orders/7/lines", "ANY /{proxy+}", "proxy=v1/orders/7/lines"),
            ("PUT", "/v1/orders", "ANY /v1/orders", ""),
            ("GET", "/", "$default", ""),
        ];
        for (method, path, key, expected) in table {
            let (found, variables) = find(&routes, method, path).unwrap();
            let variables: Vec<_> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(
                (found.key.as_str(), variables.join(" ").as_str()),
                (key, expected),
                "{method} {path}"
            );
        }
    }
}
