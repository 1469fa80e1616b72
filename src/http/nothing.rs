//! Where no route leads: 405 with the possible methods for a path of the OpenAPI document, 404 for every other. It must not know
//! what any route does.

use std::sync::OnceLock;

use actix_web::dev::ResourceDef;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, ResponseError};

use super::docs::openapi;
use super::problem::Problem;

/// Most characters of a path that are shown.
const SHOWN_CHARS_MAX: usize = 100;

/// One path of the document and its methods.
struct Known {
    path: ResourceDef,
    variables: usize,
    methods: Vec<&'static str>,
}

/// The documented paths, those with the fewest variables first.
fn known() -> &'static [Known] {
    static KNOWN: OnceLock<Vec<Known>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let mut all: Vec<Known> = openapi()
            .paths
            .paths
            .into_iter()
            .map(|(path, item)| {
                let operations = [("GET", item.get), ("HEAD", item.head), ("POST", item.post)];
                let methods = operations.into_iter().filter_map(|(name, operation)| operation.map(|_| name)).collect();
                Known { variables: path.matches('{').count(), path: ResourceDef::new(path), methods }
            })
            .collect();
        all.sort_by_key(|k| k.variables);
        all
    })
}

/// The answer where no route leads.
pub async fn nothing(request: HttpRequest) -> HttpResponse {
    let (method, path) = (request.method(), request.path());
    let there = known().iter().find(|k| k.path.is_match(path)).filter(|k| !k.methods.contains(&method.as_str()));
    let Some(there) = there else {
        let shown: String = path.chars().take(SHOWN_CHARS_MAX).collect();
        return Problem::not_found(format!("there is nothing at {method} {shown}; see /docs")).error_response();
    };
    let allowed = there.methods.join(", ");
    let detail = format!("{method} is not possible here; possible: {allowed}");
    let mut response = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).error_response();
    if let Ok(value) = HeaderValue::from_str(&allowed) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use actix_web::http::Method;
    use actix_web::test::TestRequest;

    use super::*;

    #[actix_web::test]
    async fn a_wrong_method_is_405_with_the_right_ones_and_an_unknown_path_404() {
        for (method, path, allowed) in [
            ("DELETE", "/v1/messages", Some("GET, POST")),
            ("PUT", "/v1/messages/019c12f4-51eb-7a3d-9c41-6f0000000001", Some("GET")),
            ("GET", "/v1/messages/019c12f4-51eb-7a3d-9c41-6f0000000001/response", Some("POST")),
            ("GET", "/v1/callbacks/reprocess", Some("POST")),
            ("POST", "/livez", Some("GET, HEAD")),
            ("OPTIONS", "/", Some("GET")),
            ("GET", "/v1/callbacks/abc", None),
            ("GET", "/v1/message", None),
            ("DELETE", "/nowhere", None),
        ] {
            let request = TestRequest::with_uri(path).method(Method::from_bytes(method.as_bytes()).unwrap());
            let answer = nothing(request.to_http_request()).await;
            let given = answer.headers().get(ALLOW).map(|v| v.to_str().unwrap());
            assert_eq!(given, allowed, "{method} {path}");
            assert_eq!(answer.status().as_u16(), if allowed.is_some() { 405 } else { 404 }, "{method} {path}");
        }
    }
}
