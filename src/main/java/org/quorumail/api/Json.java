package org.quorumail.api;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.quorumail.config.DomainPattern;
import org.quorumail.config.HostPort;
import org.quorumail.config.Network;
import org.quorumail.config.Secret;
import org.quorumail.config.Units;
import org.quorumail.mail.QueueId;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.ser.std.StdSerializer;

/** Values as JSON: records with snake_case names, secrets never. */
final class Json {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .addModule(texts())
          .build();

  private Json() {}

  static byte[] bytes(Object value) {
    return MAPPER.writeValueAsBytes(value);
  }

  static JsonMapper mapper() {
    return MAPPER;
  }

  private static SimpleModule texts() {
    SimpleModule module = new SimpleModule("texts");
    module.addSerializer(new Text<>(Secret.class, Secret::toString));
    module.addSerializer(new Text<>(QueueId.class, QueueId::toString));
    module.addSerializer(new Text<>(Path.class, Path::toString));
    module.addSerializer(new Text<>(Network.class, Network::toString));
    module.addSerializer(new Text<>(HostPort.class, HostPort::toString));
    module.addSerializer(new Text<>(DomainPattern.class, DomainPattern::text));
    module.addSerializer(new Text<>(Duration.class, Units::format));
    module.addSerializer(new Text<>(Instant.class, Instant::toString));
    module.addSerializer(new Text<>(InetSocketAddress.class, Json::socket));
    return module;
  }

  private static String socket(InetSocketAddress socket) {
    return new HostPort(socket.getAddress().getHostAddress(), socket.getPort()).toString();
  }

  /** A value that is written as one text. */
  private static final class Text<T> extends StdSerializer<T> {
    private final java.util.function.Function<T, String> text;

    Text(Class<T> type, java.util.function.Function<T, String> text) {
      super(type);
      this.text = text;
    }

    @Override
    public void serialize(T value, JsonGenerator json, SerializationContext context) {
      json.writeString(text.apply(value));
    }
  }
}
