//! The dossier binary: HTTP, sign-in, authorization, wiring, configuration, command line.
