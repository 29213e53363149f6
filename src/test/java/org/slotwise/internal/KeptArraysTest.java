package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;

@ExtendWith(OnDevice.class)
class KeptArraysTest {

    private record Key(String test, int number) {}

    private static NDArray copy(Key key, NDManager manager) {
        return KeptArrays.copy(key, 2, manager, owner -> owner.full(new Shape(2), 1.5f));
    }

    @Test
    void whoGetsACopyMayDoWithItWhatHeLikes(NDManager manager) {
        Key key = new Key("changed", 0);
        for (int i = 0; i < 3; i++) {
            NDArray copy = copy(key, manager);
            assertEquals(manager, copy.getManager());
            assertEquals(3, copy.sum().getFloat());
            copy.muli(10);
            if (i == 1) {
                copy.close();
            }
        }
    }

    @Test
    void scopesManagersAndCollectorsDoNotEndIt(NDManager manager) {
        Key key = new Key("ended", 0);
        try (NDManager first = manager.newSubManager();
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            copy(key, first);
        }
        Garbage.collect();
        assertEquals(3, copy(key, manager).sum().getFloat());
    }

    /** Beyond what is kept, and beyond the largest that is, arrays are made anew. */
    @Test
    void thereAreNotManyAndNoneIsLarge(NDManager manager) {
        AtomicInteger made = new AtomicInteger();
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 100; i++) {
                int number = i;
                NDArray copy =
                        KeptArrays.copy(
                                new Key("many", i),
                                1,
                                manager,
                                owner -> {
                                    made.incrementAndGet();
                                    return owner.full(new Shape(), (float) number);
                                });
                assertEquals(i, copy.getFloat());
            }
        }
        assertEquals(true, made.get() >= 200 - 64 && made.get() <= 200, "made " + made.get());
        made.set(0);
        for (int i = 0; i < 2; i++) {
            KeptArrays.copy(
                    new Key("large", 0),
                    1 << 20,
                    manager,
                    owner -> {
                        made.incrementAndGet();
                        return owner.ones(new Shape());
                    });
        }
        assertEquals(2, made.get());
    }

    @Test
    void threadsGetTheSame(NDManager manager) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try {
            List<Future<Float>> sums = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                sums.add(pool.submit(() -> copy(new Key("threads", 0), manager).sum().getFloat()));
            }
            for (Future<Float> sum : sums) {
                assertEquals(3, sum.get());
            }
        } finally {
            pool.shutdownNow();
        }
    }
}
