"""Makes an empty shop: ``python -m shop_fixed.create_tables``."""

from database.session import scoped_session

from .models import Base


def main():
    with scoped_session() as session:
        Base.metadata.create_all(session.connection())


if __name__ == "__main__":
    main()
