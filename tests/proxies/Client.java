// Sends requests one after the other by the JDK's own client, which prefers HTTP/2 and so offers h2c on each of them.
// Started as `java Client.java URL KEY REQUESTS`; writes one line for each that fails, and how many were answered.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

public class Client {
    private static final String IDENTITY =
        "{\"identifier\":\"alice\",\"traits\":[{\"trait_key\":\"plan\",\"trait_value\":\"pro\"}]}";

    public static void main(String[] arguments) {
        String url = arguments[0];
        String key = arguments[1];
        int requests = Integer.parseInt(arguments[2]);
        HttpClient client = HttpClient.newHttpClient();
        int answered = 0;
        for (int number = 0; number < requests; number++) {
            HttpRequest request = number % 2 == 0
                ? request(url + "/api/v1/flags/", key).GET().build()
                : request(url + "/api/v1/identities/", key)
                    .header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofString(IDENTITY))
                    .build();
            try {
                HttpResponse<String> answer = client.send(request, BodyHandlers.ofString());
                if (answer.statusCode() == 200 && answer.body().contains("banner")) {
                    answered++;
                } else {
                    System.out.println(request.method() + " " + number + ": " + answer.statusCode());
                }
            } catch (Exception error) {
                System.out.println(request.method() + " " + number + ": " + error);
            }
        }
        System.out.println("answered " + answered);
    }

    private static HttpRequest.Builder request(String url, String key) {
        return HttpRequest.newBuilder(URI.create(url))
            .header("X-Environment-Key", key)
            .timeout(Duration.ofSeconds(60));
    }
}
