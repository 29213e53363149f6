package org.slotwise.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * Scenes that are read one after the other, from files of any size.
 *
 * <p>{@link SceneStreamDataset} makes DJL's batches of them.
 */
@FunctionalInterface
public interface SceneSource {

    /**
     * Starts to read from the first scene on. Each call starts anew.
     *
     * @return a stream of the scenes in their order; close it, which closes the file. For a scene
     *     that cannot be read it throws {@link UncheckedIOException}, whose cause says which file
     *     and which record
     * @throws IOException if the first file cannot be opened
     */
    Stream<Scene> open() throws IOException;

    /**
     * As {@link #open()}, with an executor whose threads may read ahead of the stream: the same
     * scenes in the same order. What {@link #map} and {@link #filter} do is done by the thread that
     * goes through the stream.
     *
     * @param executor has as many threads as it likes; what it refuses, or does not come to, is
     *     done by the thread that goes through the stream
     * @return a stream of the scenes in their order; close it
     * @throws IOException if the first file cannot be opened
     */
    default Stream<Scene> open(Executor executor) throws IOException {
        return open();
    }

    /**
     * The parts of these scenes that can be read at the same time, each from its own start: files.
     * {@link SceneStreamDataset.Builder#optInterleave} reads several of them at once.
     *
     * @return at least one; read one after the other they give the scenes of {@link #open}
     */
    default List<SceneSource> parts() {
        return List.of(this);
    }

    /**
     * These scenes with something done to each of them, a crop for instance.
     *
     * @param change what is done
     * @return a source
     */
    default SceneSource map(UnaryOperator<Scene> change) {
        return new ChangedScenes(this, scenes -> scenes.map(change));
    }

    /**
     * Those of these scenes that meet a condition. For instance CLEVR6, the scenes of CLEVR with at
     * most six objects: {@code source.filter(scene -> scene.objectCount() <= 6)}.
     *
     * @param condition true for a scene that stays
     * @return a source
     */
    default SceneSource filter(Predicate<Scene> condition) {
        return new ChangedScenes(this, scenes -> scenes.filter(condition));
    }
}
