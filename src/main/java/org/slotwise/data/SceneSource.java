package org.slotwise.data;

import java.io.IOException;
import java.io.UncheckedIOException;
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
     * These scenes with something done to each of them, a crop for instance.
     *
     * @param change what is done
     * @return a source
     */
    default SceneSource map(UnaryOperator<Scene> change) {
        return () -> open().map(change);
    }

    /**
     * Those of these scenes that meet a condition. For instance CLEVR6, the scenes of CLEVR with at
     * most six objects: {@code source.filter(scene -> scene.objectCount() <= 6)}.
     *
     * @param condition true for a scene that stays
     * @return a source
     */
    default SceneSource filter(Predicate<Scene> condition) {
        return () -> open().filter(condition);
    }
}
