//! `textDocument/signatureHelp`: the keywords of an awsglue call.

use analyzer::ide;
use tower_lsp::ls_types::{
    ParameterInformation, ParameterLabel, SignatureHelp, SignatureHelpParams, SignatureInformation,
};

use crate::handlers::View;
use crate::positions;

pub(crate) fn signature_help(view: &View, params: SignatureHelpParams) -> Option<SignatureHelp> {
    let position = params.text_document_position_params.position;
    let offset = positions::to_offset(&view.document.text, position, view.client.encoding);
    let found = ide::signature(&view.analyzed.analysis, &view.analyzed.text, offset)?;
    let parameter =
        |name: &&str| ParameterInformation { label: ParameterLabel::Simple((*name).to_owned()), documentation: None };
    // An index behind the last parameter marks none of them.
    let active = found.active.unwrap_or(found.parameters.len());
    Some(SignatureHelp {
        signatures: vec![SignatureInformation {
            label: format!("{}({})", found.name, found.parameters.join(", ")),
            documentation: None,
            parameters: Some(found.parameters.iter().map(parameter).collect()),
            active_parameter: None,
        }],
        active_signature: Some(0),
        active_parameter: u32::try_from(active).ok(),
    })
}
