//! The bare handler: reads the body and answers 200. What remains of the web server when nothing is done with a callback.

use actix_web::{App, HttpResponse, HttpServer, web};

/// Serves it until the process is killed.
///
/// # Errors
/// When it cannot listen.
pub fn run() -> std::io::Result<()> {
    actix_web::rt::System::new().block_on(async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        rustix::net::listen(&listener, 4_096)?;
        let line = format!("bare handler is listening on http://{}\n", listener.local_addr()?);
        std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes())?;
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let app = || App::new().default_service(web::to(|_body: web::Bytes| async { HttpResponse::Ok().body("ok") }));
        HttpServer::new(app).workers(workers).listen(listener)?.run().await
    })
}
