from ledger.integrations.sklearn import record_search
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

x, y = load_digits(return_X_y=True)
search = GridSearchCV(SVC(gamma=0.01), {"C": [0.1, 1, 10]}, cv=3).fit(x[:300], y[:300])
record_search(search, "with-sklearn", name="accuracy", params={"seed": 0})
