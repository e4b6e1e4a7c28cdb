package org.quorumail.api;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Function;
import org.quorumail.config.DomainPattern;
import org.quorumail.config.HostPort;
import org.quorumail.config.Network;
import org.quorumail.config.Secret;
import org.quorumail.config.Units;
import org.quorumail.config.UrlRedaction;
import org.quorumail.mail.QueueId;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;
import tools.jackson.databind.ser.std.StdSerializer;

/** The conversion of values to JSON: records get snake_case names, and secrets are masked. */
final class Json {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .addModule(textModule())
          .build();

  private Json() {}

  static byte[] bytes(Object value) {
    return MAPPER.writeValueAsBytes(value);
  }

  /** Converts a configuration; the URLs in it lose their passwords. */
  static JsonNode redacted(Record config) {
    return redacted(MAPPER.<JsonNode>valueToTree(config));
  }

  private static JsonNode redacted(JsonNode node) {
    return switch (node) {
      case StringNode text -> StringNode.valueOf(UrlRedaction.redact(text.stringValue()));
      case ArrayNode list -> {
        ArrayNode copy = MAPPER.createArrayNode();
        list.forEach(element -> copy.add(redacted(element)));
        yield copy;
      }
      case ObjectNode object -> {
        ObjectNode copy = MAPPER.createObjectNode();
        object.properties().forEach(e -> copy.set(e.getKey(), redacted(e.getValue())));
        yield copy;
      }
      default -> node;
    };
  }

  static JsonMapper mapper() {
    return MAPPER;
  }

  private static SimpleModule textModule() {
    SimpleModule module = new SimpleModule("texts");
    module.addSerializer(new TextSerializer<>(Secret.class, Secret::toString));
    module.addSerializer(new TextSerializer<>(QueueId.class, QueueId::toString));
    module.addSerializer(new TextSerializer<>(Path.class, Path::toString));
    module.addSerializer(new TextSerializer<>(Network.class, Network::toString));
    module.addSerializer(new TextSerializer<>(HostPort.class, HostPort::toString));
    module.addSerializer(new TextSerializer<>(DomainPattern.class, DomainPattern::text));
    module.addSerializer(new TextSerializer<>(Duration.class, Units::format));
    module.addSerializer(new TextSerializer<>(Instant.class, Instant::toString));
    module.addSerializer(new TextSerializer<>(InetSocketAddress.class, Json::socket));
    return module;
  }

  private static String socket(InetSocketAddress socket) {
    return new HostPort(socket.getAddress().getHostAddress(), socket.getPort()).toString();
  }

  /** The serializer of a type that is written as one text. */
  private static final class TextSerializer<T> extends StdSerializer<T> {
    private final Function<T, String> text;

    TextSerializer(Class<T> type, Function<T, String> text) {
      super(type);
      this.text = text;
    }

    @Override
    public void serialize(T value, JsonGenerator json, SerializationContext context) {
      json.writeString(text.apply(value));
    }
  }
}
