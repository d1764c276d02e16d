//! Queries over the fleet.

use fleet_query::query::{Page, PageRequest};
use fleet_query::{Collection, Diagnostic, Dialect, Mode, Query, Severity};
use serde_json::Value;

use super::Handle;
use crate::fleet::Call;
use crate::operation::{
    QueryModules, QueryModulesResponse, QuerySpecification, QueryTwins, QueryTwinsResponse,
};
use crate::refusal::Refusal;

/// The refusal of a text, with all that is wrong with it.
pub(super) fn diagnosed(diagnostics: &[Diagnostic]) -> Refusal {
    let first = diagnostics
        .iter()
        .find(|d| d.severity == Severity::Error)
        .or(diagnostics.first());
    let Some(first) = first else {
        return Refusal::incomplete();
    };
    let rows: Vec<Value> = diagnostics
        .iter()
        .filter_map(|diagnostic| serde_json::to_value(diagnostic).ok())
        .collect();
    let message = match &first.help {
        Some(help) => format!("{}: {help}", first.message),
        None => first.message.clone(),
    };
    Refusal::new(first.code.as_str(), message).with("diagnostics", rows)
}

/// The refusal of one finding.
pub(crate) fn one(diagnostic: Diagnostic) -> Refusal {
    diagnosed(&[diagnostic])
}

/// A query as a request brings it, whichever collection it names.
struct Asked {
    dialect: Dialect,
    query: Option<String>,
    body: Option<QuerySpecification>,
    strict: bool,
    page: PageRequest,
}

/// A page of rows.
struct Answered {
    page: Page,
    warnings: Option<Vec<Value>>,
}

impl Asked {
    async fn run(self, call: &Call<'_>) -> Result<Answered, Refusal> {
        let text = match (&self.query, &self.body) {
            (Some(text), None) => text,
            (None, Some(body)) => &body.query,
            _ => {
                return Err(Refusal::new(
                    "request.invalid",
                    "a query is missing: give one `query`",
                ));
            }
        };
        let mode = if self.strict {
            Mode::Strict
        } else {
            Mode::Lenient
        };
        let query = Query::parse(text, self.dialect, mode).map_err(|all| diagnosed(&all))?;
        if query.collection() == Collection::Jobs {
            return Err(Refusal::new(
                "request.unsupported",
                "the fleet keeps no collection `devices.jobs` to query",
            ));
        }
        let view = call.fleet.view().await?;
        let page = crate::query::page(view.of_query(&query)?, &query, &self.page)?;
        let warnings: Vec<Value> = query
            .warnings()
            .iter()
            .filter_map(|warning| serde_json::to_value(warning).ok())
            .collect();
        Ok(Answered {
            page,
            warnings: (!warnings.is_empty()).then_some(warnings),
        })
    }
}

fn page_of(size: Option<u32>, token: Option<String>) -> PageRequest {
    PageRequest {
        size: size.map(|count| usize::try_from(count).unwrap_or(usize::MAX)),
        token,
    }
}

impl Handle for QueryTwins {
    type Answer = QueryTwinsResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let asked = Asked {
            dialect: Dialect::IotHub,
            query: self.query,
            body: self.body,
            strict: self.strict,
            page: page_of(self.max_item_count, self.continuation_token),
        };
        let Answered { page, warnings } = asked.run(call).await?;
        Ok(QueryTwinsResponse {
            item_type: page.rows.item_type.name().to_owned(),
            items: page.rows.values(),
            continuation_token: page.next,
            warnings,
        })
    }
}

impl Handle for QueryModules {
    type Answer = QueryModulesResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let asked = Asked {
            dialect: Dialect::IotHubModules,
            query: self.query,
            body: self.body,
            strict: self.strict,
            page: page_of(self.max_item_count, self.continuation_token),
        };
        let Answered { page, warnings } = asked.run(call).await?;
        Ok(QueryModulesResponse {
            item_type: page.rows.item_type.name().to_owned(),
            items: page.rows.values(),
            continuation_token: page.next,
            warnings,
        })
    }
}
