//! Where a webhook's name leads to, checked with every attempt: a name that was public yesterday may lead inside today.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use dossier_domain::webhook::TargetPolicy;
use reqwest::dns::{Addrs, Name, Resolving};

/// Finds the addresses of a name.
#[async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a host.
    ///
    /// # Errors
    /// When it has none, or nobody can tell now.
    async fn resolve(&self, host: &str) -> std::io::Result<Vec<SocketAddr>>;
}

/// The resolver of the machine.
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> std::io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.collect())
    }
}

/// Why a target is not called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// One of the addresses is none that may be called.
    #[error("the name leads to a private or reserved address")]
    NotPublic,
    /// There is no address.
    #[error("the name leads nowhere")]
    Nowhere,
}

impl TargetError {
    /// The one that made an error, if one did.
    pub(super) fn cause_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            cause = error.source();
        }
        None
    }
}

/// The addresses that a host may be called at. One that is not allowed spoils all of them: nobody mixes them in good faith.
///
/// # Errors
/// [`TargetError`].
pub async fn checked(
    resolver: &dyn Resolve,
    policy: TargetPolicy,
    host: &str,
) -> Result<Vec<SocketAddr>, TargetError> {
    let addresses = resolver.resolve(host).await.map_err(|_| TargetError::Nowhere)?;
    if addresses.is_empty() {
        return Err(TargetError::Nowhere);
    }
    if addresses.iter().all(|address| policy.allows(address.ip())) {
        Ok(addresses)
    } else {
        Err(TargetError::NotPublic)
    }
}

/// The resolver of the client: what it answers is what is connected to, so nothing lies between check and connection.
pub(super) struct Checking {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) policy: TargetPolicy,
}

impl reqwest::dns::Resolve for Checking {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, policy) = (self.resolver.clone(), self.policy);
        Box::pin(async move {
            let addresses = checked(&*resolver, policy, name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(Vec<&'static str>);

    #[async_trait]
    impl Resolve for Fixed {
        async fn resolve(&self, _host: &str) -> std::io::Result<Vec<SocketAddr>> {
            Ok(self.0.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect())
        }
    }

    async fn found(addresses: &[&'static str], policy: TargetPolicy) -> Result<usize, TargetError> {
        checked(&Fixed(addresses.to_vec()), policy, "host").await.map(|addresses| addresses.len())
    }

    #[tokio::test]
    async fn one_address_that_is_not_public_spoils_all_of_a_name() {
        assert_eq!(found(&["8.8.8.8", "2606:4700::1111"], TargetPolicy::Public).await, Ok(2));
        assert_eq!(found(&["8.8.8.8", "10.0.0.1"], TargetPolicy::Public).await, Err(TargetError::NotPublic));
        assert_eq!(found(&["::ffff:10.0.0.1"], TargetPolicy::Public).await, Err(TargetError::NotPublic));
        assert_eq!(found(&[], TargetPolicy::Public).await, Err(TargetError::Nowhere));
        assert_eq!(found(&["127.0.0.1"], TargetPolicy::Any).await, Ok(1));
    }

    #[tokio::test]
    async fn the_name_of_this_machine_is_not_public() {
        let found = checked(&SystemResolver, TargetPolicy::Public, "localhost").await;
        assert_eq!(found, Err(TargetError::NotPublic));
    }
}
