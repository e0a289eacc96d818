//! What acts by itself: reactors, timers, the mailer. They follow the log and enter at a command, like everybody else.
