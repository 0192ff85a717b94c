//! Further addresses of a project, and the key of its generated one.

use super::{Acting, Desk, routing};
use crate::domain::{EmailAddress, Fault, ProjectAddress, Response};

/// Characters of the key that a generated address carries once it was changed.
const KEY: usize = 8;
/// How many further addresses a project can have.
const MOST: usize = 100;

impl Desk {
    /// Gives the generated address another key. The published suffix stays.
    pub(super) async fn rotate_key(&self, acting: &Acting, path: &str) -> Result<Response, Fault> {
        let label = format!("changed the key in the address of {path}");
        self.change_project(acting, path, label, |_, project, _| {
            // It begins with a letter, so that it is never taken for the project's number.
            let key: String = routing::new_reply_key().chars().take(KEY).collect();
            project.address_key = Some(format!("k{key}"));
            Ok(())
        })
        .await
    }

    pub(super) async fn set_address(
        &self,
        acting: &Acting,
        path: &str,
        address: ProjectAddress,
    ) -> Result<Response, Fault> {
        if let Some(user) = &address.assignee {
            let (_gate, mut txn) = self.begin().await;
            self.known_user(&mut txn, user).await?;
        }
        let label = format!("added the address {} to {path}", address.address);
        self.change_project(acting, path, label, move |desk, project, projects| {
            project.further.retain(|known| known.address != address.address);
            if desk.inner.ways.is_ours(&address.address, projects)
                && !projects.iter().any(|p| p.id == project.id && has(p, &address.address))
            {
                return Err(Fault::refused(format!(
                    "{} is an address of this desk already",
                    address.address
                ))
                .hint("an address can lead to one project only"));
            }
            if project.further.len() >= MOST {
                return Err(Fault::refused(format!("a project has at most {MOST} further addresses")));
            }
            project.further.push(address);
            Ok(())
        })
        .await
    }

    pub(super) async fn remove_address(
        &self,
        acting: &Acting,
        path: &str,
        address: &EmailAddress,
    ) -> Result<Response, Fault> {
        let label = format!("took the address {address} from {path}");
        self.change_project(acting, path, label, |_, project, _| {
            if !has(project, address) {
                return Err(Fault::not_found(format!("{address} is no further address of {}", project.path))
                    .hint(format!("`deskbell project address list {}` shows them", project.path)));
            }
            project.further.retain(|known| &known.address != address);
            Ok(())
        })
        .await
    }
}

fn has(project: &crate::domain::Project, address: &EmailAddress) -> bool {
    project.further.iter().any(|known| &known.address == address)
}
