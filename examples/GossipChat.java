import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import org.quorumail.gossip.driver.Gossip;
import org.quorumail.gossip.driver.GossipDelegate;
import org.quorumail.gossip.driver.GossipSettings;
import org.quorumail.gossip.plumtree.BroadcastId;
import org.quorumail.gossip.plumtree.BroadcastResult;
import org.quorumail.gossip.plumtree.PlumtreeConfig;
import org.quorumail.gossip.swim.SwimMember;

/**
 * A chat without a server: each node broadcasts the lines that it reads, and prints those of the
 * other nodes. Needs a JDK 25 or newer: {@code java -version} shows which one it is.
 *
 * <pre>
 * secret=$(./quorumail cluster secret)
 * java -cp 'target/quorumail/lib/*' examples/GossipChat.java anna 7001 $secret
 * java -cp 'target/quorumail/lib/*' examples/GossipChat.java bert 7002 $secret 127.0.0.1:7001
 * </pre>
 */
public final class GossipChat implements GossipDelegate {
  @Override
  public void onDeliver(BroadcastId id, byte[] payload) {
    System.out.println(id.origin() + ": " + new String(payload, StandardCharsets.UTF_8));
  }

  @Override
  public void onMemberUp(SwimMember member) {
    System.out.println(member.id() + " joined");
  }

  @Override
  public void onMemberLeft(SwimMember member) {
    System.out.println(member.id() + " left");
  }

  public static void main(String[] args) throws Exception {
    byte[] secret = Base64.getDecoder().decode(args[2]);
    String[] seeds = Arrays.copyOfRange(args, 3, args.length);
    GossipSettings settings =
        GossipSettings.of(args[0], "127.0.0.1", Integer.parseInt(args[1]), secret)
            .withPlumtree(PlumtreeConfig.lan().withMaxMessageSize(4096));
    try (Gossip gossip = Gossip.start(settings, new GossipChat());
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in))) {
      gossip.join(seeds);
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        BroadcastResult result = gossip.broadcast(line.getBytes(StandardCharsets.UTF_8));
        if (result instanceof BroadcastResult.Rejected r) System.out.println(r.refusal());
      }
      System.out.println(gossip.peerCount() + " others, " + gossip.health().status());
      gossip.leave(Duration.ofSeconds(3));
    }
  }
}
