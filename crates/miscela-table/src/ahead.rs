//! Reading ahead: what is asked for next is made ready on a thread of its own while what came before is in use.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{Builder, JoinHandle};

/// Items that wait, beside the one that is in use and the one that is made.
const WAITING: usize = 1;

/// The items of an iterator, made on another thread.
pub(crate) struct Ahead<T> {
    items: Receiver<Option<T>>,
    reader: Option<JoinHandle<()>>,
    /// What stands for the rest if the thread was lost.
    lost: fn() -> T,
}

impl<T: Send + 'static> Ahead<T> {
    /// Starts the thread, which ends when all is read or this is dropped.
    pub(crate) fn start(
        mut next: impl FnMut() -> Option<T> + Send + 'static,
        lost: fn() -> T,
    ) -> std::io::Result<Self> {
        let (sender, items) = sync_channel(WAITING);
        let read = move || {
            loop {
                let item = next();
                let ended = item.is_none();
                if sender.send(item).is_err() || ended {
                    return;
                }
            }
        };
        let reader = Builder::new().name("miscela-reader".to_string()).spawn(read)?;
        Ok(Self { items, reader: Some(reader), lost })
    }
}

impl<T> Iterator for Ahead<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.reader.as_ref()?;
        match self.items.recv() {
            Ok(Some(item)) => Some(item),
            Ok(None) => {
                self.reader = None;
                None
            }
            // A format's decoder may panic over a damaged file. That is an error here.
            Err(_) => {
                self.reader = None;
                Some((self.lost)())
            }
        }
    }
}
