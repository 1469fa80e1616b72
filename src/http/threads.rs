//! Asking for one conversation: who holds it, and until when the customer may be answered.

use actix_web::{HttpRequest, get, web};

use super::App;
use super::failures::AskedOne;
use super::messages::lang;
use super::params::{LangParam, Params};
use super::problem::Problem;
use crate::domain::ids::AccountId;
use crate::present::{ThreadView, schema};

/// Who holds a conversation, since when, and the way back.
#[utoipa::path(
    tag = "messages",
    operation_id = "getThread",
    params(
        ("account" = inline(schema::Account), Path, description = "Account slug"),
        ("recipient" = inline(schema::QueryText), Path, description = "The customer, as `recipient` of messages", example = "7310000000012345"),
        ("sender" = inline(Option<schema::QueryText>), Query, description = "The OA or Page; without it the conversation that was heard of last"),
        LangParam,
    ),
    responses((status = 200, body = ThreadView, description = "The conversation"), AskedOne),
    security(("key" = []))
)]
#[get("/threads/{account}/{recipient}")]
pub async fn get(request: HttpRequest, path: web::Path<(String, String)>, app: web::Data<App>) -> Result<web::Json<ThreadView>, Problem> {
    let params = Params::read(request.query_string(), &["sender"])?;
    let lang = lang(&request, &params, &app)?;
    let sender = params.text("sender")?.map(str::to_owned);
    let (account, recipient) = path.into_inner();
    let account = AccountId::parse(&account).map_err(|_| no_such_thread())?;
    let found = app.readers.ask(lang, move |reader| Ok(reader.conversation(&account, sender.as_deref(), &recipient)?)).await?;
    found.map(web::Json).ok_or_else(no_such_thread)
}

fn no_such_thread() -> Problem {
    Problem::not_found("nothing is known of such a conversation: no callback told of its customer, and no send was answered in it")
}
