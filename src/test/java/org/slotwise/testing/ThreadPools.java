package org.slotwise.testing;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The thread pools of a test, of which no thread may be left at its end. */
public final class ThreadPools implements AfterEachCallback {

    private final List<ExecutorService> pools = new ArrayList<>();

    /** A pool of so many threads. */
    public ExecutorService fixed(int threads) {
        return add(Executors.newFixedThreadPool(threads));
    }

    /** Takes another pool into its care, and gives it back. */
    public <T extends ExecutorService> T add(T pool) {
        pools.add(pool);
        return pool;
    }

    /** Nobody, and pools of these numbers of threads. */
    public List<@Nullable ExecutorService> noneAnd(int... threads) {
        List<@Nullable ExecutorService> all = new ArrayList<>();
        all.add(null);
        for (int count : threads) {
            all.add(fixed(count));
        }
        return all;
    }

    @Override
    public void afterEach(ExtensionContext context) throws InterruptedException {
        for (ExecutorService pool : pools) {
            pool.shutdown();
            assertTrue(pool.awaitTermination(30, TimeUnit.SECONDS));
        }
    }
}
