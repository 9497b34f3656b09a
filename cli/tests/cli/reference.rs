//! What is generated from the program stands in the repository as the program has it.

use expect_test::expect_file;

#[test]
fn the_configuration_page_is_the_settings() {
    expect_file!["../../../docs/configuration.md"].assert_eq(&engine::project::reference::page());
}

#[test]
fn the_schema_of_the_settings_is_that_of_the_program() {
    let schema = serde_json::to_string_pretty(&engine::project::settings::schema()).unwrap();
    expect_file!["../../../schemas/settings.schema.json"].assert_eq(&(schema + "\n"));
}
