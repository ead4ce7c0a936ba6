//! Fetching documents from the Flagsmith API.
