package org.slotwise.data.file;

import java.io.IOException;
import java.util.stream.Stream;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneSource;

/** Scenes of files that may call them something. */
interface NamedSource extends SceneSource {

    /** As {@link #open}, with names. */
    Stream<NamedScene> named() throws IOException;

    /** {@inheritDoc} */
    @Override
    default Stream<Scene> open() throws IOException {
        return named().map(NamedScene::scene);
    }
}
