import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

public class Server {
    public static void main(String[] arguments) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(80), 0);
        byte[] said = ("java " + Runtime.version() + "\n").getBytes();
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, said.length);
            try (var body = exchange.getResponseBody()) {
                body.write(said);
            }
        });
        server.start();
        System.out.println("listening");
    }
}
