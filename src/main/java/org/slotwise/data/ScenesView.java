package org.slotwise.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** A part of other scenes, each of them changed. */
record ScenesView(Scenes scenes, long first, long size, UnaryOperator<Scene> change)
        implements Scenes {

    @Override
    public Scene get(long index) throws IOException {
        Objects.checkIndex(index, size);
        return change.apply(scenes.get(first + index));
    }

    /** All scenes in their order. */
    static Stream<Scene> stream(Scenes scenes) {
        return LongStream.range(0, scenes.size())
                .mapToObj(
                        index -> {
                            try {
                                return scenes.get(index);
                            } catch (IOException e) {
                                throw new UncheckedIOException(e.getMessage(), e);
                            }
                        });
    }
}
