/**
 * The scheduling of background work: tasks that run with a fixed pause between two runs for as long
 * as their owner lives. Start with {@link org.quorumail.upkeep.PeriodicTasks}. Threads: one
 * platform thread per task. Long native calls of others go through {@link
 * org.quorumail.upkeep.PlatformThread}. Must not know the tasks.
 */
@NullMarked
package org.quorumail.upkeep;

import org.jspecify.annotations.NullMarked;
