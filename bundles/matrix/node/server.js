const http = require("http");

const server = http.createServer((_, answer) => answer.end(`node ${process.version}\n`));
server.listen(80, () => console.log("listening"));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
