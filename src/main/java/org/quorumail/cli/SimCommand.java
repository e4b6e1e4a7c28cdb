package org.quorumail.cli;

import picocli.CommandLine.Command;

/** The command {@code sim}: simulations without a node or a network, from one seed. */
@Command(
    name = "sim",
    mixinStandardHelpOptions = true,
    description = "Simulate thousands of nodes of the gossip protocols in virtual time.",
    footer = {"", "Example: quorumail sim gossip --nodes 100 --seed 42"},
    subcommands = {GossipSimCommand.class, BroadcastSimCommand.class})
final class SimCommand extends CommandGroup {}
