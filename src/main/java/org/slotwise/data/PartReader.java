package org.slotwise.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.ReadAhead;

/** The scenes of a part in their order, some of them read ahead by a thread of an executor. */
final class PartReader implements AutoCloseable {

    /** How many scenes are read ahead. */
    static final int AHEAD = 8;

    private final SceneSource part;
    private final ReadAhead<Scene> scenes;

    /** These two are of the thread that reads. */
    private @Nullable Stream<Scene> stream;

    private @Nullable Iterator<Scene> following;

    PartReader(SceneSource part, @Nullable Executor executor) {
        this.part = part;
        scenes = new ReadAhead<>(this::read, AHEAD, executor);
    }

    /**
     * Opens the part now, and not with its first scene.
     *
     * @throws IOException if it cannot be opened
     */
    Iterator<Scene> open() throws IOException {
        if (following == null) {
            stream = part.open();
            following = stream.iterator();
        }
        return following;
    }

    private @Nullable Scene read() throws IOException {
        Iterator<Scene> all = open();
        return all.hasNext() ? all.next() : null;
    }

    /** Has scenes read ahead. */
    void start() {
        scenes.start();
    }

    /** The next scene; null at the end. */
    @Nullable Scene next() {
        try {
            return scenes.next();
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    /** Closes the file; waits for a scene that is being read. */
    @Override
    public void close() {
        scenes.close();
        Stream<Scene> open = stream;
        stream = null;
        if (open != null) {
            open.close();
        }
    }
}
