//! Where the output of components goes: a file in the log folder, and the terminal. Each write is there when the component goes on.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// How much a component may write at once.
const PERMIT: usize = 64 * 1024;

/// One of the two outputs of a component.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    file: Option<Arc<File>>,
    terminal: Option<Terminal>,
}

/// Which of the host's own outputs is written to as well.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Terminal {
    Stdout,
    Stderr,
}

impl Log {
    /// Opens the log of a component in `folder`, if there is one, named as Spin names it.
    pub(crate) fn open(
        folder: Option<&Path>,
        component: &str,
        terminal: Terminal,
        quiet: bool,
    ) -> Result<Self> {
        let name = match terminal {
            Terminal::Stdout => format!("{component}_stdout.txt"),
            Terminal::Stderr => format!("{component}_stderr.txt"),
        };
        let file = match folder {
            None => None,
            Some(folder) => {
                std::fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
                let path = folder.join(name);
                let file = File::options().create(true).append(true).open(&path);
                Some(Arc::new(
                    file.with_context(|| format!("{}", path.display()))?,
                ))
            }
        };
        Ok(Self {
            file,
            terminal: (!quiet).then_some(terminal),
        })
    }

    fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        if let Some(file) = &self.file {
            file.as_ref().write_all(bytes)?;
        }
        // A terminal that is gone is no reason to fail the component.
        let _ = match self.terminal {
            Some(Terminal::Stdout) => io::stdout().write_all(bytes),
            Some(Terminal::Stderr) => io::stderr().write_all(bytes),
            None => Ok(()),
        };
        Ok(())
    }
}

impl IsTerminal for Log {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Log {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Log {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write_all(bytes).map(|()| bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl OutputStream for Log {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write_all(&bytes)
            .map_err(|error| StreamError::LastOperationFailed(error.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Log {
    async fn ready(&mut self) {}
}
