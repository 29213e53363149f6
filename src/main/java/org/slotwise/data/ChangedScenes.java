package org.slotwise.data;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * Scenes with something done to each of them, or some left out; of the same parts.
 *
 * @param source the scenes
 * @param change what is done, to each by itself
 */
record ChangedScenes(SceneSource source, UnaryOperator<Stream<Scene>> change)
        implements SceneSource {

    @Override
    public Stream<Scene> open() throws IOException {
        return change.apply(source.open());
    }

    @Override
    public Stream<Scene> open(Executor executor) throws IOException {
        return change.apply(source.open(executor));
    }

    @Override
    public List<SceneSource> parts() {
        return source.parts().stream()
                .<SceneSource>map(part -> new ChangedScenes(part, change))
                .toList();
    }
}
