package org.slotwise.data.file;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;

/** Scenes in any order whose pictures have names. */
interface NamedScenes extends Scenes, NamedSource {

    /**
     * The name of a scene's picture.
     *
     * @param index from 0 to size - 1
     * @return its file's name as the data set has it
     */
    String name(long index);

    /** {@inheritDoc} */
    @Override
    default Stream<NamedScene> named() {
        return LongStream.range(0, size())
                .mapToObj(
                        i -> {
                            try {
                                return new NamedScene(get(i), name(i));
                            } catch (IOException e) {
                                throw new UncheckedIOException(e.getMessage(), e);
                            }
                        });
    }

    /** {@inheritDoc} */
    @Override
    default Stream<Scene> open() {
        return Scenes.super.open();
    }
}
