package org.slotwise.data;

import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.slotwise.internal.Check;

/**
 * A number of scenes, each of which can be had at any time: generated ones, those of a folder or of
 * an HDF5 file, or a list. May be asked from several threads at once.
 *
 * <p>{@link SceneDataset} makes DJL's batches of them.
 */
public interface Scenes extends SceneSource {

    /**
     * How many scenes there are.
     *
     * @return at least 0
     */
    long size();

    /**
     * Gives one scene, the same each time.
     *
     * @param index from 0 to size - 1
     * @return the scene
     * @throws IOException if it cannot be read; the message says which file
     * @throws IndexOutOfBoundsException if there is no such scene
     */
    Scene get(long index) throws IOException;

    /**
     * Gives all scenes in their order.
     *
     * @return a stream that throws {@link java.io.UncheckedIOException} for a scene that cannot be
     *     read
     */
    @Override
    default Stream<Scene> open() {
        return ScenesView.stream(this);
    }

    /**
     * A part of these scenes, to split them for training and test or to share them out.
     *
     * @param from the first scene of the part
     * @param to the scene after the last one
     * @return a view
     * @throws IllegalArgumentException if the part is not inside
     */
    default Scenes range(long from, long to) {
        Check.option(
                0 <= from && from <= to && to <= size(),
                "Scenes: range " + from + " to " + to + " is not inside 0 to " + size());
        return new ScenesView(this, from, to - from, UnaryOperator.identity());
    }

    /**
     * These scenes with something done to each of them, a crop for instance.
     *
     * @param change what is done, each time that a scene is asked for
     * @return a view
     */
    @Override
    default Scenes map(UnaryOperator<Scene> change) {
        return new ScenesView(this, 0, size(), change);
    }

    /**
     * Scenes that are in memory.
     *
     * @param scenes a list; copied
     * @return the scenes
     */
    static Scenes of(List<Scene> scenes) {
        List<Scene> copy = List.copyOf(scenes);
        return new Scenes() {
            @Override
            public long size() {
                return copy.size();
            }

            @Override
            public Scene get(long index) {
                return copy.get((int) Objects.checkIndex(index, size()));
            }
        };
    }
}
