package org.quorumail.admin;

import java.time.Duration;
import org.quorumail.api.MaintenanceView;
import org.quorumail.api.NodeView;
import org.quorumail.node.Config;
import org.quorumail.node.ConfigReloader;
import org.quorumail.node.LiveConfig;
import org.quorumail.node.NodeState;

/** The node itself as the API shows it, with the commands to it: reload, shutdown, maintenance. */
public final class NodeReport implements NodeView {
  private final NodeState state;
  private final LiveConfig config;
  private final HealthCheck health;
  private final ConfigReloader reloader;
  private final MaintenanceView maintenance;
  private final Runnable onShutdown;

  /**
   * @param onShutdown starts to drain and leave; must not block
   */
  public NodeReport(
      NodeState state,
      LiveConfig config,
      HealthCheck health,
      ConfigReloader reloader,
      MaintenanceView maintenance,
      Runnable onShutdown) {
    this.state = state;
    this.config = config;
    this.health = health;
    this.reloader = reloader;
    this.maintenance = maintenance;
    this.onShutdown = onShutdown;
  }

  @Override
  public String version() {
    return state.version();
  }

  @Override
  public Duration uptime() {
    return state.uptime();
  }

  @Override
  public Config config() {
    return config.current();
  }

  @Override
  public NodeHealth health() {
    return health.check();
  }

  @Override
  public boolean isAlive() {
    return health.isAlive();
  }

  @Override
  public void shutdown() {
    onShutdown.run();
  }

  @Override
  public MaintenanceStatus maintenance() {
    return maintenance.maintenance();
  }

  @Override
  public MaintenanceResult enterMaintenance(MaintenanceOrder order) {
    return maintenance.enterMaintenance(order);
  }

  @Override
  public MaintenanceStatus exitMaintenance() {
    return maintenance.exitMaintenance();
  }

  @Override
  public ReloadResult reload() {
    return reloader.reload();
  }
}
