package org.slotwise.data.file;

import io.jhdf.api.Dataset;
import io.jhdf.api.Group;
import io.jhdf.api.Link;
import io.jhdf.api.Node;
import io.jhdf.dataset.DatasetBase;
import io.jhdf.links.ExternalLink;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.SceneFileException;

/**
 * Finds arrays by their names in a file, and in others where links lead there.
 *
 * <p>Links are followed here and not by jHDF, which follows them without end, opens whatever they
 * name, and does not tell in which file an array lies.
 */
final class Hdf5Tree implements Closeable {

    /** As many as HDF5's own library follows. */
    private static final int MOST_LINKS = 16;

    private static final int MOST_NAMES = 100;

    private final Hdf5File own;
    private final Map<Path, Hdf5File> linked = new LinkedHashMap<>();

    Hdf5Tree(Path file) throws IOException {
        own = Hdf5File.open(file);
    }

    /**
     * An array, where it lies.
     *
     * @param file the file whose data it is
     * @param array what jHDF knows of it
     */
    record Found(Hdf5File file, DatasetBase array) {}

    /**
     * Finds an array.
     *
     * @param name its name with those of its groups
     * @throws SceneFileException if there is none of that name
     */
    Found find(String name) throws IOException {
        Hdf5File file = own;
        Group group = own.hdf();
        Deque<String> rest = new ArrayDeque<>();
        push(name, rest);
        int links = 0;
        while (!rest.isEmpty()) {
            Node node = child(file, group, rest.pop());
            if (node instanceof Link link) {
                if (++links > MOST_LINKS) {
                    throw new SceneFileException(
                            own.path(),
                            "'" + name + "' leads through more than " + MOST_LINKS + " links",
                            null);
                }
                String target = link.getTargetPath();
                if (link instanceof ExternalLink) {
                    Target there = target(file, target);
                    file = external(name, there);
                    target = "/" + there.name();
                }
                group = target.startsWith("/") ? file.hdf() : group;
                push(target, rest);
            } else if (node instanceof Group inner && !rest.isEmpty()) {
                group = inner;
            } else if (node instanceof DatasetBase array && rest.isEmpty()) {
                return new Found(file, array);
            } else if (node == null || !rest.isEmpty()) {
                throw missing(name);
            } else {
                break;
            }
        }
        throw new SceneFileException(own.path(), "'" + name + "' is not an array", null);
    }

    /** Puts the parts of a name before those that are left. */
    private static void push(String name, Deque<String> rest) {
        String[] parts = name.split("/", -1);
        for (int i = parts.length - 1; i >= 0; i--) {
            if (!parts[i].isEmpty() && !parts[i].equals(".")) {
                rest.push(parts[i]);
            }
        }
    }

    private static @Nullable Node child(Hdf5File file, Group group, String name)
            throws IOException {
        return Hdf5File.guarded(
                        file.path(),
                        "cannot be read as HDF5",
                        () -> Optional.ofNullable(group.getChildren().get(name)))
                .orElse(null);
    }

    /**
     * Where a link leads.
     *
     * @param file the other file
     * @param name the name in it
     */
    private record Target(Path file, String name) {}

    /** jHDF gives file and name as one text, "file:name", and either may have colons of its own. */
    private static Target target(Hdf5File from, String text) throws SceneFileException {
        Path self = from.path().toAbsolutePath();
        for (int colon = text.indexOf(':'); colon >= 0; colon = text.indexOf(':', colon + 1)) {
            try {
                Path file = self.resolveSibling(text.substring(0, colon)).normalize();
                if (Files.exists(file)) {
                    return new Target(file, text.substring(colon + 1));
                }
            } catch (InvalidPathException e) {
                break; // no system has a file of that name
            }
        }
        throw new SceneFileException(
                from.path(), "a link leads to " + text + ", and there is no such file", null);
    }

    private Hdf5File external(String name, Target target) throws IOException {
        Hdf5File known = linked.get(target.file());
        if (known != null) {
            return known;
        }
        try {
            Hdf5File opened = Hdf5File.open(target.file());
            linked.put(target.file(), opened);
            return opened;
        } catch (IOException e) {
            throw new SceneFileException(
                    own.path(),
                    "'" + name + "' leads to another file that cannot be read: " + e.getMessage(),
                    e);
        }
    }

    private SceneFileException missing(String name) throws IOException {
        Set<String> names = names();
        return new SceneFileException(
                own.path(),
                "there is no array '"
                        + name
                        + "', only "
                        + names
                        + (names.size() < MOST_NAMES ? "" : " and others"),
                null);
    }

    /** The names of arrays and links, a hundred at most. */
    Set<String> names() throws IOException {
        Set<String> names = new TreeSet<>();
        Hdf5File.guarded(own.path(), "cannot be read as HDF5", () -> collect(names));
        return names;
    }

    /** The names of arrays, and of links, which are not followed. */
    private boolean collect(Set<String> names) {
        Deque<Group> groups = new ArrayDeque<>(Set.of(own.hdf()));
        Set<Long> seen = new HashSet<>(); // a group may be inside of itself
        seen.add(own.hdf().getAddress());
        while (!groups.isEmpty()) {
            for (Node node : groups.remove()) {
                if (names.size() >= MOST_NAMES) {
                    return false;
                }
                if (node instanceof Link || node instanceof Dataset) {
                    names.add(node.getPath().substring(1));
                } else if (node instanceof Group group && seen.add(group.getAddress())) {
                    groups.add(group);
                }
            }
        }
        return true;
    }

    @Override
    public void close() throws IOException {
        try (own) {
            for (Hdf5File file : linked.values()) {
                file.close();
            }
        }
    }
}
