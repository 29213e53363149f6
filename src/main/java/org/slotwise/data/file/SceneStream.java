package org.slotwise.data.file;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scene;

/**
 * The scenes of files, one after the other; one file is open at a time. It is closed at the end,
 * when a scene cannot be read, and with the stream.
 */
final class SceneStream implements Iterator<NamedScene> {

    private final List<Path> files;
    private final Opener opener;
    private int opened;
    private Reader reader;
    private @Nullable NamedScene ready;
    private boolean ended;

    /** Reads a file from its start to its end. */
    interface Reader extends Closeable {
        /** The next scene; null at the end of the file. */
        @Nullable Scene next() throws IOException;

        /** What the file calls the scene that {@link #next} gave last; null for nothing. */
        default @Nullable String name() {
            return null;
        }
    }

    /** Opens a file. */
    interface Opener {
        /** Opens it, and leaves nothing open if that fails. */
        Reader open(Path file) throws IOException;
    }

    private SceneStream(List<Path> files, Opener opener) throws IOException {
        this.files = files;
        this.opener = opener;
        reader = opener.open(files.get(0));
    }

    /**
     * Opens the first file.
     *
     * @param files at least one
     * @return a stream that throws {@link UncheckedIOException}
     */
    static Stream<Scene> of(List<Path> files, Opener opener) throws IOException {
        return named(files, opener).map(NamedScene::scene);
    }

    /**
     * Opens the first file.
     *
     * @param files at least one
     * @return a stream that throws {@link UncheckedIOException}
     */
    static Stream<NamedScene> named(List<Path> files, Opener opener) throws IOException {
        SceneStream scenes = new SceneStream(files, opener);
        int traits = Spliterator.ORDERED | Spliterator.NONNULL;
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(scenes, traits), false)
                .onClose(scenes::close);
    }

    @Override
    public boolean hasNext() {
        if (ready == null && !ended) {
            try {
                ready = read();
            } catch (IOException e) {
                close();
                throw new UncheckedIOException(e.getMessage(), e);
            }
            if (ready == null) {
                close();
            }
        }
        return ready != null;
    }

    private @Nullable NamedScene read() throws IOException {
        Scene scene = reader.next();
        while (scene == null) {
            reader.close();
            if (++opened == files.size()) {
                return null;
            }
            reader = opener.open(files.get(opened));
            scene = reader.next();
        }
        return new NamedScene(scene, reader.name());
    }

    @Override
    public NamedScene next() {
        if (!hasNext() || ready == null) {
            throw new NoSuchElementException();
        }
        NamedScene scene = ready;
        ready = null;
        return scene;
    }

    private void close() {
        ended = true;
        try {
            reader.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }
}
