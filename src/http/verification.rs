//! Domain checks: `GET /zalo_verifier{code}.html` and the meta tag on the home page, for each configured code.

use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, web};

use super::App;
use super::failures::{Open, OpenOne};
use super::problem::Problem;

/// Every configured code, once.
fn codes(app: &App) -> Vec<String> {
    let mut all: Vec<String> = app.rules.iter().flat_map(|(_, k)| k.account.site_verifications().to_vec()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn page(title: &str, codes: &[String], body: &str) -> HttpResponse {
    let tag = |code: &String| {
        let (name, code) = ("zalo-platform-site-verification", escape(code));
        // Both attributes are in use at checkers: one tag carries both.
        format!("<meta name=\"{name}\" property=\"{name}\" content=\"{code}\" />\n")
    };
    let tags: String = codes.iter().map(tag).collect();
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n{tags}<title>{}</title>\n</head>\n<body>\n{body}\n</body>\n</html>\n",
        escape(title)
    );
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")))
        .insert_header(("content-security-policy", "default-src 'none'"))
        .body(html)
}

/// The home page: the meta tags of every domain check, and where to go on.
#[utoipa::path(
    operation_id = "home",
    tag = "webhooks",
    responses(
        (status = 200, body = String, content_type = "text/html", description = "The page", example = json!("<!DOCTYPE html>")),
        Open
    )
)]
#[get("/")]
pub async fn home(app: web::Data<App>) -> HttpResponse {
    page("baophat", &codes(&app), "<p>baophat is running. API documentation: <a href=\"/docs/\">/docs</a></p>")
}

/// The file of one domain check.
#[utoipa::path(
    operation_id = "siteVerification",
    tag = "webhooks",
    params(
        ("code" = String, Path, description = "A configured `site_verification`", pattern = "^[A-Za-z0-9_-]+$", example = "FakeCode"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/html", description = "The page", example = json!("<!DOCTYPE html>")),
        OpenOne
    )
)]
#[get("/zalo_verifier{code}.html")]
pub async fn verifier(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let code = request.match_info().get("code").unwrap_or_default();
    match codes(&app).into_iter().find(|c| c == code) {
        Some(code) => {
            let body = format!("<p>zalo-platform-site-verification: {}</p>", escape(&code));
            Ok(page("Zalo domain check", &[code], &body))
        }
        None => Err(Problem::not_found("no account has this code in `site_verification`")),
    }
}
