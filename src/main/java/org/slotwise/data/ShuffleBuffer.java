package org.slotwise.data;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.SplitMix;

/** Draws scenes at random from the next ones of a stream. Not for several threads. */
final class ShuffleBuffer implements AutoCloseable {

    private final Stream<Scene> stream;
    private final Iterator<Scene> following;
    private final int size;
    private final SplitMix random;
    private final List<Scene> held = new ArrayList<>();

    ShuffleBuffer(Stream<Scene> stream, int size, SplitMix random) {
        this.stream = stream;
        this.following = stream.iterator();
        this.size = size;
        this.random = random;
    }

    /** A scene; null when there is none any more. */
    @Nullable Scene next() {
        while (held.size() < size && following.hasNext()) {
            held.add(following.next());
        }
        if (held.isEmpty()) {
            return null;
        }
        // The last one fills the gap: the order of those held does not matter.
        int drawn = random.below(held.size());
        Scene last = held.remove(held.size() - 1);
        return drawn == held.size() ? last : held.set(drawn, last);
    }

    @Override
    public void close() {
        held.clear();
        stream.close();
    }
}
