package org.quorumail.cli;

import picocli.CommandLine.Command;

/** Simulations: no node, no network, one seed. */
@Command(
    name = "sim",
    mixinStandardHelpOptions = true,
    description = "Runs the program's own protocols by the thousand, in virtual time.",
    footer = {"", "Example: quorumail sim gossip --nodes 100 --seed 42"},
    subcommands = {GossipSimCommand.class, BroadcastSimCommand.class})
final class SimCommand extends CommandGroup {}
