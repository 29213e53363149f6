package org.slotwise.internal;

import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * What is written to in a call and kept for the next one: at most as many as there are processors.
 * Who has one has it alone.
 *
 * @param <T> what it is
 */
public final class Idle<T> {

    private final Queue<T> kept =
            new ArrayBlockingQueue<>(Runtime.getRuntime().availableProcessors());

    /** Keeps nothing yet. */
    public Idle() {}

    /**
     * Takes one; of others than are wanted the one that was found is forgotten.
     *
     * @param wanted whether one that was kept is of the sizes that are needed
     * @param fresh makes one where none was kept
     * @return one that nobody else has
     */
    public T take(Predicate<T> wanted, Supplier<T> fresh) {
        T found = kept.poll();
        return found != null && wanted.test(found) ? found : fresh.get();
    }

    /**
     * Keeps one, if not too many are kept.
     *
     * @param used what is not needed any more
     */
    public void give(T used) {
        kept.offer(used);
    }
}
