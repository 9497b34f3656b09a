//! `textDocument/documentLink`: from the name of a table to its contract, from a path of S3 to the console of AWS.

use analyzer::ide::{self, Target};
use tower_lsp::ls_types::{DocumentLink, DocumentLinkParams, Uri};

use crate::handlers::View;
use crate::positions;

pub(crate) fn document_link(view: &View, _: DocumentLinkParams) -> Option<Vec<DocumentLink>> {
    let (text, encoding) = (&view.document.text, view.client.encoding);
    let links = ide::links(&view.analyzed.analysis, &view.analyzed.text).into_iter().filter_map(|(range, target)| {
        let (target, tooltip) = target_of(view, &target)?;
        let range = positions::to_range(text, range, encoding);
        Some(DocumentLink { range, target: Some(target), tooltip: Some(tooltip), data: None })
    });
    Some(links.collect())
}

fn target_of(view: &View, target: &Target) -> Option<(Uri, String)> {
    match target {
        Target::Table(name) => {
            let root = &view.place.as_ref()?.root;
            let file = view.knowledge.backend.contract_file(root, name)?;
            Some((Uri::from_file_path(file)?, format!("the contract of {name}")))
        }
        Target::Path(path) => {
            let (_, place) = path.split_once("://")?;
            let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
            // The characters that S3 calls safe in keys; of other ones the link would have to be escaped.
            let is_safe = |c: char| c.is_ascii_alphanumeric() || "/!-_.*'()=".contains(c);
            let address = format!("https://s3.console.aws.amazon.com/s3/buckets/{bucket}?prefix={prefix}");
            let address = address.parse().ok().filter(|_| bucket.chars().chain(prefix.chars()).all(is_safe))?;
            Some((address, format!("{path} in the console of AWS")))
        }
    }
}
