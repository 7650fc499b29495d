//! The API described in OpenAPI 3.1, at `/api/v1/openapi.json`.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header;
use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{Modify, OpenApi};

use super::shapes;
use crate::problem::PROBLEM_JSON;
use crate::settings::CookieKind;

/// The API of the hub.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tandem",
        description = "The helpdesk by REST. Everything changes through the same actors as on the WebSocket; live events come there.\n\nRefusals are `application/problem+json` (the shape `Problem`) with a `code` of a closed set. Lists are paged by `cursor`. `ETag` is the `seq` of a ticket. Fields that a body does not know are refused.\n\nEvery answer has an `X-Request-Id`; one of your own is kept.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/api/v1")),
    paths(
        super::sessions::sign_in,
        super::sessions::sign_out,
        super::me::me,
        super::me::workspace,
        super::notifications::read,
        super::list::list,
        super::list::counters,
        super::tickets::create,
        super::tickets::read,
        super::tickets::change,
        super::comments::post,
        super::drafts::list,
        super::drafts::read,
        super::drafts::save,
        super::drafts::discard,
        super::events::read,
        super::collaboration::hand_over,
        super::collaboration::acknowledge,
        super::collaboration::change_tags,
        super::collaboration::watch,
        super::collaboration::take_claim,
        super::collaboration::release_claim,
        super::collaboration::cancel_held,
        super::notifications::mark_read,
        document
    ),
    components(schemas(shapes::Problem)),
    tags(
        (name = "sessions", description = "Signing in and out"),
        (name = "workspace", description = "The workspace of who asks"),
        (name = "tickets", description = "Tickets, replies and their log"),
        (name = "collaboration", description = "Handing over, tags, following, claims, held replies"),
        (name = "drafts", description = "What I write and have not sent yet"),
        (name = "notifications", description = "What concerns me, and what I have read"),
        (name = "api", description = "About this API")
    ),
    security(("token" = []), ("cookie" = [])),
    modifiers(&Common)
)]
pub struct Api;

static TEXT: LazyLock<String> = LazyLock::new(|| {
    let document = Api::openapi();
    serde_json::to_string_pretty(&document).expect("the document has text keys only")
});

/// The document as JSON text.
pub fn text() -> &'static str {
    &TEXT
}

/// This description
#[utoipa::path(get, path = "/openapi.json", operation_id = "read_description", tag = "api", security(()),
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "application/json")).body(text())
}

/// What all operations share: how one proves who one is, and how they refuse.
struct Common;

impl Modify for Common {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_with(Default::default);
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("From POST /sessions with grant: token"))
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let cookie = ApiKeyValue::with_description(
            CookieKind::Secure.name(),
            "Set by POST /sessions; changes then need an Origin of the hub's own. Named tandem where the hub serves plain HTTP.",
        );
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        // A ticket of the staff has all that one of a customer has: it is both, and so not one of them.
        if let Some(RefOr::T(Schema::OneOf(one_of))) = components.schemas.get("Ticket") {
            let any_of = one_of.items.iter().cloned().fold(AnyOfBuilder::new(), AnyOfBuilder::item);
            let any_of = any_of.description(one_of.description.clone()).build();
            components.schemas.insert("Ticket".into(), Schema::AnyOf(any_of).into());
        }
        for item in api.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                operation.responses.responses.insert("default".into(), refusal().into());
            }
        }
    }
}

fn refusal() -> Response {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new().description("Refused: `code` says why").content(PROBLEM_JSON, content).build()
}

#[cfg(test)]
mod tests {
    use super::super::routes::described;
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    #[test]
    fn every_route_is_described_and_every_description_has_its_route() {
        let document: Value = serde_json::from_str(text()).expect("JSON");
        let paths = document["paths"].as_object().expect("paths");
        let told: BTreeSet<(String, String)> = paths
            .iter()
            .flat_map(|(path, item)| item.as_object().expect("a map").keys().map(|m| (m.to_uppercase(), path.clone())))
            .collect();
        let registered: BTreeSet<(String, String)> =
            described().into_iter().map(|(method, path)| (method.to_string(), path.to_owned())).collect();
        assert_eq!(told, registered);
        assert_eq!(document["openapi"].as_str().map(|v| &v[..4]), Some("3.1."));
    }

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let names: Vec<&str> = text().split("\"operationId\": \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(names.len(), described().len());
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }

    #[test]
    fn a_ticket_may_be_both_a_staff_ticket_and_a_customer_ticket() {
        let document: Value = serde_json::from_str(text()).expect("JSON");
        assert_eq!(document["components"]["schemas"]["Ticket"]["anyOf"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_operation_can_refuse() {
        let document: Value = serde_json::from_str(text()).expect("JSON");
        for reference in text().split("\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().expect("a name");
            assert!(document["components"]["schemas"].get(name).is_some(), "{name} is nowhere");
        }
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("a map") {
                assert!(operation["responses"]["default"]["content"][PROBLEM_JSON].is_object(), "{method} {path}");
                assert!(operation["summary"].is_string(), "{method} {path}");
            }
        }
    }
}
