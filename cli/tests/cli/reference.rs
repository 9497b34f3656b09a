//! What is generated from the program stands in the repository as the program has it.

use expect_test::expect_file;

#[test]
fn the_configuration_page_is_the_settings() {
    expect_file!["../../../docs/configuration.md"].assert_eq(&engine::project::reference::page());
}
