"""The shop's page: plain HTML, CSS and JavaScript over the REST API, no framework, nothing from elsewhere."""
