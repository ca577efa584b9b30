//! The port of the API.

use timesheets::api::Api;

#[test]
fn a_taken_port_is_named_and_a_dropped_server_frees_its_port() {
    let api = Api::start(0).unwrap();
    let port = api.address().port();
    let error = format!("{:#}", Api::start(port).unwrap_err());
    assert!(
        error.starts_with(&format!("the timesheets API cannot listen on port {port}")),
        "{error}"
    );
    drop(api);
    Api::start(port).unwrap();
}
