package org.slotwise.examples.group;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * A progress bar on standard error that appears if the work takes more than a second and somebody
 * is there to see it.
 */
final class Progress implements AutoCloseable {

    private final int steps;
    private final ScheduledExecutorService clock;
    private String current = "";
    private int done = -1;
    private @Nullable ProgressBar bar;

    Progress(int steps) {
        this.steps = steps;
        clock =
                Executors.newSingleThreadScheduledExecutor(
                        work -> {
                            Thread thread = new Thread(work, "progress");
                            thread.setDaemon(true);
                            return thread;
                        });
        if (System.console() != null) {
            clock.schedule(this::show, 1, TimeUnit.SECONDS);
        }
    }

    /**
     * Says that the step before is done and another one starts.
     *
     * @param what the step that starts
     */
    synchronized void step(String what) {
        current = what;
        done++;
        update();
    }

    private synchronized void show() {
        if (!clock.isShutdown()) {
            bar =
                    new ProgressBarBuilder()
                            .setInitialMax(steps)
                            .startsFrom(done, Duration.ofSeconds(1))
                            .setStyle(ProgressBarStyle.ASCII)
                            .setUpdateIntervalMillis(200)
                            .setMaxRenderedLength(72)
                            .hideEta()
                            .clearDisplayOnFinish()
                            .build();
            update();
        }
    }

    private void update() {
        if (bar != null) {
            bar.stepTo(done);
            bar.setExtraMessage(" " + current);
        }
    }

    @Override
    public synchronized void close() {
        clock.shutdownNow();
        if (bar != null) {
            bar.close();
        }
    }
}
