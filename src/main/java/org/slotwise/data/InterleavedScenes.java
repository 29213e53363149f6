package org.slotwise.data;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * The scenes of several parts that are read at the same time, one of each in turn.
 *
 * <p>A part that has ended gives its place to the next one that was not begun, which goes on in the
 * same turn; when there is none, the place is gone. Whichever thread is faster, the order is the
 * same.
 */
final class InterleavedScenes implements Iterator<Scene>, AutoCloseable {

    private final Deque<SceneSource> waiting;
    private final List<PartReader> open = new ArrayList<>();
    private final @Nullable Executor executor;
    private int turn;
    private @Nullable Scene ready;

    private InterleavedScenes(List<SceneSource> parts, int atOnce, @Nullable Executor executor)
            throws IOException {
        waiting = new ArrayDeque<>(parts);
        this.executor = executor;
        PartReader first = new PartReader(waiting.remove(), executor);
        first.open();
        open.add(first);
        while (open.size() < atOnce && !waiting.isEmpty()) {
            open.add(new PartReader(waiting.remove(), executor));
        }
        open.forEach(PartReader::start);
    }

    /**
     * Opens the first part.
     *
     * @param atOnce how many parts are read at the same time; 1 is the order of the source
     * @param executor reads ahead; null for the thread that asks
     * @throws IOException if the first part cannot be opened
     */
    static Stream<Scene> of(SceneSource source, int atOnce, @Nullable Executor executor)
            throws IOException {
        List<SceneSource> parts = atOnce == 1 ? List.of() : source.parts();
        if (parts.size() < 2) {
            return executor == null ? source.open() : source.open(executor);
        }
        InterleavedScenes scenes = new InterleavedScenes(parts, atOnce, executor);
        int traits = Spliterator.ORDERED | Spliterator.NONNULL;
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(scenes, traits), false)
                .onClose(scenes::close);
    }

    @Override
    public boolean hasNext() {
        if (ready == null) {
            ready = read();
        }
        return ready != null;
    }

    private @Nullable Scene read() {
        while (!open.isEmpty()) {
            turn = turn < open.size() ? turn : 0;
            PartReader part = open.get(turn);
            Scene scene = part.next();
            if (scene != null) {
                turn++;
                return scene;
            }
            part.close();
            if (waiting.isEmpty()) {
                open.remove(turn);
            } else {
                open.set(turn, new PartReader(waiting.remove(), executor));
            }
        }
        return null;
    }

    @Override
    public Scene next() {
        if (!hasNext() || ready == null) {
            throw new NoSuchElementException();
        }
        Scene scene = ready;
        ready = null;
        return scene;
    }

    /** Closes all files, also where closing one of them fails. */
    @Override
    public void close() {
        waiting.clear();
        RuntimeException failure = null;
        for (PartReader part : open) {
            try {
                part.close();
            } catch (RuntimeException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        open.clear();
        if (failure != null) {
            throw failure;
        }
    }
}
